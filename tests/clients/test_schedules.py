"""schedule.xml and schedule.json of the real program against the published frab / c3voc schemas.

`cargo test exports` writes both files into the build directory; the schemas are found through CALLBOARD_SCHEMAS.
"""

import json
import os
from pathlib import Path

import pytest

SCHEMAS = Path(os.environ.get("CALLBOARD_SCHEMAS", "/nonexistent"))
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).parents[2] / "target"))
FILES = TARGET / "tmp" / "schedules"

pytestmark = [
    pytest.mark.skipif(not SCHEMAS.exists(), reason="CALLBOARD_SCHEMAS names no directory with the frab schemas"),
    pytest.mark.skipif(not FILES.exists(), reason="cargo test exports has not written the schedules"),
]


def sessions(schedule: dict) -> list[dict]:
    days = schedule["schedule"]["conference"]["days"]
    return [event for day in days for room in day["rooms"].values() for event in room]


# The real program, and one whose sessions have a language, an image and so on, and last for days.
both = pytest.mark.parametrize("name", ["schedule", "details"])


@both
def test_the_xml_is_valid(name):
    etree = pytest.importorskip("lxml.etree")
    schema = etree.XMLSchema(etree.parse(str(SCHEMAS / "schedule.xml.xsd")))
    assert schema.validate(etree.parse(str(FILES / f"{name}.xml"))), schema.error_log


@both
def test_the_json_is_valid(name):
    jsonschema = pytest.importorskip("jsonschema")
    rules = json.loads((SCHEMAS / "schema.json").read_text())
    checker = jsonschema.Draft6Validator(rules, format_checker=jsonschema.FormatChecker())
    faults = [error.message for error in checker.iter_errors(json.loads((FILES / f"{name}.json").read_text()))]
    assert not faults


def test_both_hold_the_same_sessions():
    etree = pytest.importorskip("lxml.etree")
    events = etree.parse(str(FILES / "schedule.xml")).findall("day/room/event")
    twins = sessions(json.loads((FILES / "schedule.json").read_text()))
    assert sorted(event.get("guid") for event in events) == sorted(twin["guid"] for twin in twins)
    assert len(events) > 50
