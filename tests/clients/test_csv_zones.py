"""Civil times of a CSV as instants of `callboard render`, across the clock changes of every kind of zone.

Python's zoneinfo gives the expected instants; libical reads them back by the feed's own VTIMEZONE. Only zones with the
same rules in every recent time-zone database are tested.
"""

import csv
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from feeds import ROOT, by_libical
from server import BINARY

ZONES = """
    America/Los_Angeles America/New_York America/St_Johns America/Havana America/Santiago America/Phoenix
    Atlantic/Azores Europe/Dublin Europe/London Europe/Berlin Europe/Kyiv Africa/Johannesburg Asia/Beirut
    Asia/Jerusalem Asia/Kolkata Asia/Kathmandu Asia/Tokyo Australia/Adelaide Australia/Lord_Howe
    Australia/Sydney Pacific/Auckland Pacific/Chatham Pacific/Honolulu
""".split()
LENGTH = timedelta(minutes=25)


def _starts(zone: ZoneInfo) -> list[datetime]:
    """Every half hour around every clock change of 2025, and one noon in every month."""
    year = datetime(2025, 1, 1, tzinfo=timezone.utc)
    quarters = [year + timedelta(minutes=15 * n) for n in range(365 * 96)]
    offset = lambda at: at.astimezone(zone).utcoffset()  # noqa: E731
    changes = [at for at in quarters if offset(at) != offset(at - timedelta(minutes=15))]
    around = [at + timedelta(minutes=30 * n) for at in changes for n in range(-7, 8)]
    return sorted({*around, *(datetime(2025, month, 15, 12, tzinfo=timezone.utc) for month in range(1, 13))})


def _time(at: datetime, zone: ZoneInfo) -> str:
    """`01:30`, or `01:30 PST` in the second of two repeated hours."""
    civil = at.astimezone(zone)
    return civil.strftime("%H:%M %Z" if civil.fold else "%H:%M")


@pytest.mark.parametrize("name", ZONES)
def test_instants_survive_from_csv_to_feed(name, tmp_path, libical):
    zone = ZoneInfo(name)
    sessions = {f"session-{n}": (start, start + LENGTH) for n, start in enumerate(_starts(zone))}
    program = tmp_path / "program.csv"
    with program.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "date", "start", "end", "end_date", "kind", "title"])
        for id, (start, end) in sessions.items():
            days = [at.astimezone(zone).date().isoformat() for at in (start, end)]
            writer.writerow([id, days[0], _time(start, zone), _time(end, zone), days[1], "talk", id])
    config = tmp_path / "callboard.toml"
    config.write_text(f'[conference]\ntitle = "Everywhere"\nzone = "{name}"\n')
    feed = _render(tmp_path, program, config) / "program.ics"
    found = by_libical(libical, [feed])[str(feed)]
    assert {event["summary"]: (event["start"], event["end"]) for event in found} == {
        id: (int(start.timestamp()), int(end.timestamp())) for id, (start, end) in sessions.items()
    }


def test_rendering_again_writes_the_same_bytes(tmp_path):
    arguments = (tmp_path, ROOT / "program.csv", ROOT / "config" / "callboard.toml")
    files = lambda: {  # noqa: E731
        file: (file.stat().st_mtime_ns, file.read_bytes()) for file in _render(*arguments).rglob("*.ics")
    }
    first = files()
    assert len(first) > 64
    assert files() == first


def _render(folder: Path, program: Path, config: Path) -> Path:
    public = folder / "public"
    command = [BINARY, "render", public, "--program", program, "--config", config, "--data", folder / "none"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return public
