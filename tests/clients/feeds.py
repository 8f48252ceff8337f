"""Feeds with their expected sessions, and readers by three foreign libraries.

A reader returns a list of `Session`, in any order. The readers share no code with Callboard or with each other.
"""

import io
import json
import os
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import icalendar
from dateutil import tz

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = sorted((ROOT / "tests" / "golden").glob("*.ics"))
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


class Session(NamedTuple):
    uid: str
    start: int
    end: int
    summary: str
    status: str


def truth(feed: Path) -> list[dict]:
    return json.loads(feed.with_suffix(".json").read_text(encoding="utf-8"))


def expected(feed: Path) -> list[Session]:
    def instant(text: str) -> int:
        return int(datetime.fromisoformat(text).timestamp())

    return sorted(
        Session(s["uid"], instant(s["start"]), instant(s["end"]), s["summary"], s["status"])
        for s in truth(feed)
    )


def events(content: bytes) -> list[icalendar.Event]:
    calendars = icalendar.Calendar.from_ical(content, multiple=True)
    assert len(calendars) == 1
    assert not calendars[0].errors
    found = calendars[0].walk("VEVENT")
    assert not [event.errors for event in found if event.errors]
    return found


def by_icalendar(content: bytes) -> list[Session]:
    """Reads with Python's icalendar, which resolves a TZID by the system's zones."""
    return [
        _session(event, event["DTSTART"].dt.timestamp(), event["DTEND"].dt.timestamp())
        for event in events(content)
    ]


def by_dateutil(content: bytes) -> list[Session]:
    """Reads with dateutil, which evaluates the feed's own VTIMEZONE."""
    text = content.decode("utf-8").replace("\r\n ", "").replace("\r\n", "\n")
    begin, end = text.find("BEGIN:VTIMEZONE"), text.find("END:VTIMEZONE\n")
    zones = tz.tzical(io.StringIO(text[begin : end + len("END:VTIMEZONE\n")])) if begin >= 0 else None

    def instant(prop) -> float:
        tzid = prop.params.get("TZID")
        if tzid in (None, "UTC"):
            assert prop.to_ical().endswith(b"Z"), "a floating time has no instant"
            return prop.dt.timestamp()
        return prop.dt.replace(tzinfo=zones.get(tzid)).astimezone(timezone.utc).timestamp()

    return [
        _session(event, instant(event["DTSTART"]), instant(event["DTEND"])) for event in events(content)
    ]


def _session(event: icalendar.Event, start: float, end: float) -> Session:
    return Session(str(event["UID"]), int(start), int(end), str(event["SUMMARY"]), str(event["STATUS"]))


def by_libical(reader: Path, feeds: list[Path]) -> dict[str, list[dict]]:
    """Reads many feeds at once with libical (see libical.c); returns the events of each feed."""
    command = [str(reader), *map(str, feeds)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict]] = {str(feed): [] for feed in feeds}
    for line in done.stdout.splitlines():
        event = json.loads(line)
        found[event.pop("file")].append(event)
    return found


def session_of(event: dict) -> Session:
    return Session(*(event[field] for field in Session._fields))
