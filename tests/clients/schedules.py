"""Validates a schedule.xml and a schedule.json against the published frab / c3voc schemas.

    CALLBOARD_SCHEMAS=DIR python3 tests/clients/schedules.py FILE.xml FILE.json

Needs lxml and jsonschema. Without CALLBOARD_SCHEMAS it says so and ends well.
"""

import json
import os
import pathlib
import sys


def main(xml_path: str, json_path: str) -> int:
    schemas = os.environ.get("CALLBOARD_SCHEMAS")
    if not schemas or not pathlib.Path(schemas, "schedule.xml.xsd").exists():
        print("skipped: CALLBOARD_SCHEMAS names no directory with the schemas")
        return 0
    import jsonschema
    from lxml import etree

    faults = []
    document = etree.parse(xml_path)
    schema = etree.XMLSchema(etree.parse(str(pathlib.Path(schemas, "schedule.xml.xsd"))))
    if not schema.validate(document):
        faults += [f"{xml_path}:{error.line}: {error.message}" for error in schema.error_log]
    schedule = json.loads(pathlib.Path(json_path).read_text())
    rules = json.loads(pathlib.Path(schemas, "schema.json").read_text())
    checker = jsonschema.Draft6Validator(rules, format_checker=jsonschema.FormatChecker())
    faults += [f"{json_path}: {'/'.join(map(str, e.absolute_path))}: {e.message}" for e in checker.iter_errors(schedule)]

    events = document.findall("day/room/event")
    days = schedule["schedule"]["conference"]["days"]
    twins = [event for day in days for room in day["rooms"].values() for event in room]
    if sorted(event.get("guid") for event in events) != sorted(event["guid"] for event in twins):
        faults.append("the two files hold other sessions")
    for fault in faults:
        print(fault)
    print(f"{len(events)} sessions, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
