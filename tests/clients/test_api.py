"""The API as its own description has it: schemathesis asks what the description allows and what it does not,
and holds every answer against it."""

import os
from datetime import timedelta

import jsonschema
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance, ensure_resource_availability, ignored_auth, negative_data_rejection,
    response_headers_conformance, response_schema_conformance, status_code_conformance, unsupported_method,
    use_after_free,
)  # fmt: skip

from organizer import SECRET, Organizer

# Per operation; the long form: CALLBOARD_API_EXAMPLES=500.
EXAMPLES = int(os.environ.get("CALLBOARD_API_EXAMPLES", "25"))
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, ignored_auth,
]  # fmt: skip

AGENDA = {"name": "Mine", "picks": ["slow-queries", "ml-monitoring"]}


@pytest.fixture(scope="module")
def organizer(tmp_path_factory):
    organizer = Organizer(tmp_path_factory.mktemp("api"))
    organizer.start()
    yield organizer
    organizer.stop()


@pytest.fixture(scope="module")
def description(organizer) -> dict:
    return organizer.get("/openapi.json").json()


@pytest.fixture(scope="module")
def schema(organizer, description):
    return schemathesis.openapi.from_dict(description).configure(base_url=organizer.origin)
