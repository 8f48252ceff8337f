"""The API against its OpenAPI description: schemathesis sends valid and invalid requests and validates every response. All
lists are read to the end and validated as well."""

import json
import os
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest
import requests

from feeds import by_icalendar
from organizer import SECRET, Organizer

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
# Examples per operation; CALLBOARD_API_EXAMPLES=300 is the long form.
EXAMPLES = os.environ.get("CALLBOARD_API_EXAMPLES", "8")
CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance", "negative_data_rejection", "unsupported_method",
]  # fmt: skip
# A failed precondition and a body that is too long are reported before the body is read. No session has a room.
CONFIG = """
[parameters]
"path.read" = "{read}"
"path.room" = "nowhere"
[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 429]
[warnings]
enabled = false
"""


def start(home: Path) -> Organizer:
    """Starts a server without rate limits, since all requests come from one address."""
    organizer = Organizer(home)
    config = organizer.config.read_text()
    organizer.config.write_text(re.sub(r"(?m)^#? ?((agendas|wrong_\w+)_(at_once|hour)) = \d+", r"\1 = 1000000", config))
    organizer.start()
    return organizer


@pytest.fixture(scope="module")
def organizer(tmp_path_factory):
    organizer = start(tmp_path_factory.mktemp("api"))
    yield organizer
    organizer.stop()


@pytest.fixture(scope="module")
def description(organizer) -> dict:
    return organizer.get("/openapi.json").json()


def agenda(organizer: Organizer) -> dict:
    picks = {"name": "Mine", "picks": ["slow-queries", "ml-monitoring"]}
    answer = requests.post(organizer.origin + "/api/v1/agendas", json=picks, timeout=10)
    assert answer.status_code == 201
    return answer.json()


def ask(organizer: Organizer, home: Path, read: str, key: str, *which: str) -> None:
    config = home / "schemathesis.toml"
    config.write_text(CONFIG.format(read=read))
    command = [
        str(SCHEMATHESIS), "--config-file", str(config), "run", organizer.origin + "/openapi.json",
        "--url", organizer.origin, "--header", f"Authorization: Bearer {key}", "--max-examples", EXAMPLES,
        "--phases", "examples,coverage,fuzzing", "--checks", ",".join(CHECKS), "--seed", "1",
        "--generation-database", "none", "--no-color", *which,
    ]  # fmt: skip
    done = subprocess.run(command, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "No issues found" in done.stdout, done.stdout[-2000:]


@pytest.mark.parametrize(
    "which",
    [
        ("--include-tag", "Program"),
        ("--include-tag", "Feeds"),
        ("--include-tag", "Exports"),
        # These two would invalidate the key for the other operations.
        ("--include-tag", "Agendas", "--exclude-operation-id", "replaceKey", "--exclude-operation-id", "deleteAgenda"),
        ("--include-operation-id", "replaceKey"),
        ("--include-operation-id", "deleteAgenda"),
    ],
    ids=lambda which: which[1],
)
def test_every_response_fits_the_description(organizer, tmp_path, which):
    mine = agenda(organizer)
    read = mine["read_links"][0]["page"].rsplit("/", 1)[1]
    ask(organizer, tmp_path, read, mine["edit_key"], *which)


def test_every_response_to_an_organizer_fits_the_description(tmp_path):
    organizer = start(tmp_path)
    ask(organizer, tmp_path, "none", SECRET, "--include-tag", "Organizer")
    organizer.stop()


def validator(description: dict, path: str) -> jsonschema.Draft202012Validator:
    content = description["paths"][path]["get"]["responses"]["200"]["content"]
    schema = {"components": description["components"], **content["application/json"]["schema"]}
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(
    ("path", "query", "members"),
    [
        ("/api/v1/program", "", None),
        ("/api/v1/sessions", "", "sessions"),
        ("/api/v1/sessions", "limit=7", "sessions"),
        ("/api/v1/tracks", "", None),
        ("/api/v1/speakers", "limit=10", "speakers"),
        ("/api/v1/releases", "", "releases"),
        ("/api/v1/changes", "since=0&limit=9", "changes"),
    ],
)
def test_every_page_of_every_list_is_as_described(organizer, description, path, query, members):
    valid, target, seen = validator(description, path), f"{organizer.origin}{path}?{query}", []
    while target:
        page = organizer.get(target).json()
        valid.validate(page)
        seen += [json.dumps(one) for one in page[members]] if members else []
        target = page.get("next")
    assert len(seen) == len(set(seen))
    assert members is None or seen


def test_the_examples_fit_the_description(description):
    """The Rust suite checks that the server answers like the examples, whose keys are shortened."""
    checked = 0
    for path, methods in description["paths"].items():
        for operation in methods.values():
            for answer in operation["responses"].values():
                media = answer.get("content", {}).get("application/json", {})
                if "example" in media:
                    schema = {"components": description["components"], **media["schema"]}
                    jsonschema.Draft202012Validator(schema).validate(media["example"])
                    checked += 1
    assert checked > 15


def test_the_api_agrees_with_the_feed(organizer):
    sessions = organizer.get("/api/v1/sessions").json()["sessions"]
    feed = by_icalendar(organizer.get("/program.ics").content)
    def instant(text: str) -> int:
        return int(datetime.fromisoformat(text).timestamp())

    said = [(s["uid"], instant(s["start"]), instant(s["end"]), s["title"], s["status"].upper()) for s in sessions]
    assert sorted(said) == sorted(tuple(session) for session in feed)
