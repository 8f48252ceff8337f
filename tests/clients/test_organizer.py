"""A day of an organizer with the real program. Each step checks every feed and a foreign calendar."""

import re
import time

import pytest

from feeds import by_icalendar, events
from organizer import Organizer, edited, secret_line, sessions, written
from subscriber import Subscriber

TALK = "An SRE Approach to Monitoring ML in Production"


@pytest.fixture
def organizer(tmp_path):
    organizer = Organizer(tmp_path)
    organizer.start()
    yield organizer
    if organizer.process:
        organizer.kill()


class Calendar:
    """vdirsyncer and khal, synced after each step."""

    def __init__(self, organizer: Organizer, home):
        self.subscriber = Subscriber(home, {"program": f"{organizer.origin}/program.ics"})
        self.items = self.sync()

    def sync(self) -> dict[str, tuple[int, bytes]]:
        """The modification time and content of the file of each session. vdirsyncer assigns its own UIDs here."""
        self.subscriber.vdirsyncer("sync", "--force-delete")
        items = {}
        for stamp, body in self.subscriber.items("program").values():
            text = body.replace(b"\r\n", b"\n").replace(b"\n ", b"")
            items[re.search(rb"\nURL:[^\n]*/sessions/([a-z0-9-]+)\n", text)[1].decode()] = (stamp, text)
        return items

    def look(self, changed: set[str]) -> None:
        now = self.sync()
        differing = {uid for uid in self.items.keys() & now.keys() if self.items[uid] != now[uid]}
        assert differing <= changed, differing - changed
        self.items = now

    def shown(self, day: str) -> dict[str, tuple[str, str]]:
        found = self.subscriber.khal("program", "America/Los_Angeles", day, "1d")
        return {event["title"]: (event["start-long-full"], event["status"].strip()) for event in found}


def changed_by(organizer: Organizer, release: int) -> set[str]:
    record = organizer.ask("GET", f"/organizer/releases/{release}").json()
    return {change["session"] for change in record["changes"]}


def test_a_day_of_an_organizer(organizer, tmp_path):
    calendar = Calendar(organizer, tmp_path / "home")
    organizer.look(set())
    rows = organizer.rows()

    def step(release: int, changed: set[str]) -> None:
        assert organizer.status()["release"] == release
        if changed:
            assert changed_by(organizer, release) == changed
        organizer.look(changed)
        calendar.look(changed)

    # A talk moves, saved in place by an editor.
    rows = edited(rows, ml_monitoring={"date": "2025-03-26", "start": "07:30", "end": "08:15"})
    organizer.save(written(rows), lambda status: status["release"] == 2, whole=False)
    step(2, {"ml-monitoring"})
    assert calendar.shown("2025-03-26")[TALK][0] == "2025-03-26 07:30"
    assert TALK not in calendar.shown("2025-03-25")
    moved = next(e for e in events(organizer.get("/program.ics").content) if e["SUMMARY"] == TALK)
    assert "Tue" in str(moved["DESCRIPTION"]) and "11:00" in str(moved["DESCRIPTION"])

    # Rooms are added, and one is renamed.
    rows = edited(rows, slow_queries={"room": "Salon A"}, live_laugh_log={"room": "Salon A"})
    organizer.save(written(rows), lambda status: status["release"] == 3)
    step(3, {"slow-queries", "live-laugh-log"})
    rows = edited(rows, slow_queries={"room": "Salon B"}, live_laugh_log={"room": "Salon B"})
    organizer.save(written(rows), lambda status: status["release"] == 4)
    step(4, {"slow-queries", "live-laugh-log"})
    assert organizer.get("/rooms/salon-a.ics").status_code == 200, "a slug once published keeps its feed"
    assert len(by_icalendar(organizer.get("/rooms/salon-b.ics").content)) == 2

    # A restart changes nothing.
    organizer.stop()
    organizer.start()
    step(4, set())

    # A talk is cancelled on the command line.
    rows = edited(rows, search_for_speed={"status": "cancelled"})
    upload = tmp_path / "upload.csv"
    upload.write_bytes(written(rows))
    shown = organizer.command("diff", str(upload), "--to", organizer.origin)
    assert "cancelled" in shown and "search-for-speed" in shown
    organizer.command("publish", str(upload), "--to", organizer.origin)
    step(5, {"search-for-speed"})
    assert calendar.shown("2025-03-25").get("The Search for Speed", ("", "CANCELLED"))[1] == "CANCELLED"

    # The file on disk is now older than the live release. A restart does not undo the upload.
    assert organizer.status()["file"]["stale"]
    organizer.stop()
    organizer.start()
    time.sleep(1)
    step(5, set())
    assert organizer.status()["file"]["stale"]
    organizer.command("pull", str(organizer.program), "--to", organizer.origin)
    for _ in range(100):
        if not organizer.status()["file"]["stale"]:
            break
        time.sleep(0.05)
    step(5, set())
    assert not organizer.status()["file"]["stale"]

    # The announced track gets its first session.
    assert sessions(organizer.get("/tracks/discussion-track.ics").content) == {}
    rows = [*rows, {**dict.fromkeys(rows[0], ""), "id": "unconference", "date": "2025-03-26", "start": "11:00",
                    "end": "11:45", "kind": "discussion", "title": "Unconference", "track": "Discussion Track"}]  # fmt: skip
    organizer.save(written(rows), lambda status: status["release"] == 6)
    step(6, {"unconference"})
    assert len(sessions(organizer.get("/tracks/discussion-track.ics").content)) == 1
    assert calendar.shown("2025-03-26")["Unconference"][0] == "2025-03-26 11:00"

    # A broken file changes nothing.
    broken = written(rows).replace(b"2025-03-25,13:50", b"2025-03-25,soon")
    status = organizer.save(broken, lambda status: (status["last"] or {}).get("verdict") == "refused")
    assert status["last"]["report"]["errors"] >= 1
    step(6, set())

    # A truncated file is held, and published only with its digest.
    status = organizer.save(written(rows[:20]), lambda status: status["held"] is not None)
    step(6, set())
    assert "removes" in status["held"]["reasons"][0] and len(status["held"]["changes"]) > 40

    # After the file is repaired nothing is held. A roll-back is a new release.
    organizer.save(written(rows), lambda status: status["held"] is None)
    back = organizer.ask("POST", "/organizer/releases/1/publish")
    assert back.status_code == 201, back.text
    changed = {"ml-monitoring", "slow-queries", "live-laugh-log", "search-for-speed", "unconference"}
    step(7, changed)
    assert calendar.shown("2025-03-25")[TALK][0] == "2025-03-25 11:00"
    assert calendar.shown("2025-03-26").get("Unconference", ("", "CANCELLED"))[1] == "CANCELLED"
    organizer.stop()
    organizer.start()
    step(7, set())
    assert [release["release"] for release in organizer.ask("GET", "/organizer/releases").json()["releases"]] == [
        7, 6, 5, 4, 3, 2, 1,
    ]  # fmt: skip


def test_a_held_file_is_published_with_the_command_line(organizer):
    rows = organizer.rows()
    organizer.save(written(rows[:40]), lambda status: status["held"] is not None)
    said = organizer.command("publish", "--config", str(organizer.config), "--program", str(organizer.program),
                             "--to", organizer.origin, exit_code=1)  # fmt: skip
    assert "--confirm" in said
    organizer.command("publish", "--confirm", "--config", str(organizer.config), "--program",
                      str(organizer.program), "--to", organizer.origin)  # fmt: skip
    status = organizer.status()
    assert (status["release"], status["held"], status["file"]["stale"]) == (2, None, False)


def test_sighup_reads_file_and_secrets_again(organizer):
    import signal

    organizer.secrets_file.write_text(secret_line("another-organizer-secret"))
    organizer.process.send_signal(signal.SIGHUP)
    for _ in range(100):
        if organizer.ask("GET", "/organizer/status").status_code == 401:
            return
        time.sleep(0.05)
    raise AssertionError("the old secret still opens the door")


def test_the_freshness_of_links_survives_a_restart(organizer):
    import requests

    made = requests.post(f"{organizer.origin}/api/v1/agendas", json={"picks": ["slow-queries"]}, timeout=10).json()
    authorization = {"Authorization": f"Bearer {made['edit_key']}"}
    organizer.get(made["read_links"][0]["feed"], User_Agent="ICSx5/2.2 (ical4j/4.0) Android/14")
    organizer.stop()
    organizer.start()
    agenda = requests.get(f"{organizer.origin}/api/v1/agenda", headers=authorization, timeout=10).json()
    seen = agenda["read_links"][0]["seen"]
    assert (seen["client"], seen["release"], seen["behind"]) == ("ICSx5", 1, 0)
    freshness = organizer.status()["freshness"]
    assert (freshness["polled"], freshness["current"]) == (1, 1)
