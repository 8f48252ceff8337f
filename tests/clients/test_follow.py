"""`callboard follow`: programs elsewhere are followed through a day of changes, faults and edits by hand."""

import random
import re
import signal
import subprocess
import time
from datetime import timedelta

import icalendar
import pytest

from deliveries import wait_for
from organizer import Organizer, rows_of, written
from server import BINARY
from sources import FORMATS, Source, key, key_of, talk

CONFIG = """
organizer_secret_file = "{secrets}"

[conference]
title = "Conf"
zone = "Europe/Berlin"
first_day = 2026-05-01
last_day = 2026-05-05

[source]
url = "{url}"
every = "1s"
{more}
"""

# Faults of a source whose answer is no whole program, with the exit code of `callboard follow --once`.
FAULTS = {
    "500": 1, "503": 1, "429": 1, "404": 1, "reset": 1, "redirect-elsewhere": 1, "redirect-loop": 1,
    "cut-length": 1, "cut-gzip": 1, "cut-chunk": 1, "bomb": 1,
    "login": 65, "nothing": 65, "garbage": 65, "list": 65, "null": 65, "no-sessions": 65,
}  # fmt: skip


class Desk(Organizer):
    """A server that follows a source and has no program file."""

    def __init__(self, home, source: Source, more: str = ""):
        super().__init__(home)
        self.program.unlink()
        self.source = source
        self.config.write_text(CONFIG.format(secrets=self.secrets_file, url=source.url, more=more))

    def arguments(self, *more: str) -> list[str]:
        return ["follow", *more, "--config", str(self.config), "--data", str(self.data)]

    def follow(self, exit_code: int = 0) -> str:
        return self.command(*self.arguments("--once"), exit_code=exit_code)

    def uids(self) -> dict[str, str]:
        """The id of each key of the source."""
        return {key_of(row["guid"]): row["id"] for row in self.rows() if row.get("guid")}

    def live(self) -> dict[str, tuple]:
        """Title, start, room and status of each session in the feed, by its UID."""
        events = icalendar.Calendar.from_ical(self.get("/program.ics").content).walk("VEVENT")
        return {
            str(event["UID"]).split("@")[0]: (
                str(event["SUMMARY"]), event["DTSTART"].dt.isoformat(), str(event["LOCATION"]),
                str(event.get("STATUS", "CONFIRMED")), int(event["SEQUENCE"]),
            )
            for event in events
        }  # fmt: skip

    def sequences(self) -> dict[str, int]:
        return {uid: values[4] for uid, values in self.live().items()}

    def state(self) -> dict:
        return self.status()["source"]


def shown(one) -> tuple:
    return (one.title, one.start.isoformat(), one.room)


@pytest.fixture
def follow(tmp_path):
    """Starts a server that follows a source of a format."""
    desks = []

    def start(format: str, count: int = 24, more: str = "", **how) -> Desk:
        source = Source(format, [talk(number) for number in range(count)], **how)
        desk = Desk(tmp_path, source, more)
        desk.start()
        desks.append(desk)
        return desk

    yield start
    for desk in desks:
        desk.kill()
        desk.source.close()


def check(desk: Desk, expected: dict[str, tuple], uids: dict[str, str]) -> None:
    """The feed shows exactly the expected sessions, each under its UID."""
    now = desk.uids()
    assert {name: now[name] for name in uids if name in now} == {n: uid for n, uid in uids.items() if n in now}
    uids.update(now)
    live = desk.live()
    for name, values in expected.items():
        title, start, room, status = live[uids[name]][:4]
        assert (title.removeprefix("CANCELLED: "), start, room) == values[:3], name
        assert (status == "CANCELLED") == (values[3:] == ("cancelled",)), (name, live[uids[name]])
    assert len(live) == len(expected)


@pytest.mark.parametrize("format", FORMATS)
def test_a_source_is_followed_for_a_day_and_nothing_wrong_is_published(follow, format):
    """A day in 40 steps: changes of the source, edits by hand, and faults of the source."""
    dice = random.Random(format)
    desk = follow(format, validators=dice.choice(["etag", "date", "none"]))
    source = desk.source
    assert "published release 2; 24 sessions changed" in desk.follow()
    expected = {one.key: shown(one) for one in source.talks}
    edited: dict[str, str] = {}
    uids: dict[str, str] = {}
    check(desk, expected, uids)
    next_number = 24
    for step in range(40):
        before, feed = desk.sequences(), desk.get("/program.ics").content
        what = dice.choice(["move", "retitle", "cancel", "add", "room", "nothing", "fault", "fault", "hand", "order"])
        place = dice.randrange(len(source.talks))
        one = source.talks[place]
        source.coding = dice.choice(["identity", "gzip", "chunked"])
        changed: set[str] = set()
        if what == "fault":
            # The source changes too, so there is something wrong to be published.
            whole = source.talks
            source.talks = [one.but(title=f"{one.title}!") if other == one else other for other in whole]
            source.fault = dice.choice(list(FAULTS))
            source.elsewhere = "http://localhost:1/login"
            desk.follow(exit_code=FAULTS[source.fault])
            assert desk.state()["problem"] is not None, source.fault
            assert desk.get("/program.ics").content == feed, source.fault
            source.fault, source.talks = "", whole
            desk.follow()
            assert desk.state()["problem"] is None
            assert desk.get("/program.ics").content == feed
            continue
        if what == "hand":
            title = f"{one.title} by hand {step}"
            rows = desk.rows()
            mine = [{**row, "title": title} if row["id"] == uids[one.key] else row for row in rows]
            desk.upload(written(mine))
            edited[one.key] = title
            expected[one.key] = (title, *expected[one.key][1:])
            changed = {one.key}
        elif what == "move":
            source.talks[place] = one.but(start=one.start + timedelta(days=dice.choice([0, 1]), minutes=dice.choice([5, 10])))
        elif what == "retitle":
            source.talks[place] = one.but(title=f"{one.title}, again")
        elif what == "room":
            source.talks[place] = one.but(room=f"Room {dice.choice('ABC')}")
        elif what == "cancel" and len(source.talks) > 15:
            # The end of a sheet is checked by another test.
            del source.talks[min(place, len(source.talks) - 2)]
        elif what == "add":
            # Beside another session of the same title.
            source.talks.insert(place, talk(next_number, one.title))
            next_number += 1
        elif what == "order":
            source.talks.insert(0, source.talks.pop(place))
        kept = {other.key for other in source.talks}
        for other in source.talks:
            title, start, room = shown(other)
            wanted = (edited.get(other.key, title), start, room)
            if expected.get(other.key) != wanted:
                changed.add(other.key)
            expected[other.key] = wanted
        for gone in expected.keys() - kept:
            if expected[gone][3:] != ("cancelled",):
                changed.add(gone)
                expected[gone] = (*expected[gone][:3], "cancelled")
        desk.follow()
        check(desk, expected, uids)
        now = desk.sequences()
        risen = {uid for uid in now if uid not in before or now[uid] > before[uid]}
        assert risen == {uids[name] for name in changed}, what
    assert "nothing changed" in desk.follow()


def test_an_unchanged_source_is_asked_conditionally_and_compressed(follow):
    desk = follow("pretalx")
    desk.source.coding = "gzip"
    desk.follow()
    assert "nothing changed" in desk.follow()
    assert desk.source.answers == [200, 304]
    first, second = desk.source.requests
    assert "gzip" in first["accept-encoding"] and "if-none-match" not in first
    assert second["if-none-match"].startswith('"')
    # Another config reads the answer again.
    desk.config.write_text(desk.config.read_text() + 'format = "pretalx"\n')
    desk.follow()
    assert desk.source.answers == [200, 304, 200]
    desk.config.write_text(desk.config.read_text().replace('"pretalx"', '"ics"'))
    assert "source.format is ics" in desk.follow(exit_code=65)


@pytest.mark.parametrize("format", FORMATS)
def test_no_cut_of_a_program_cancels_a_session(follow, format):
    """The body ends early at any byte, with a length that fits."""
    desk = follow(format)
    desk.follow()
    feed = desk.get("/program.ics").content
    whole = desk.source.body()
    dice = random.Random(format)
    ends = sorted({len(whole) - 1, *(dice.randrange(40, len(whole)) for _ in range(25))})
    for end in ends:
        if whole[:end].rstrip() == whole.rstrip():
            continue  # only white space is missing
        desk.source.body = lambda end=end: whole[:end]
        output = subprocess.run([str(BINARY), *desk.arguments("--once")], capture_output=True, text=True, timeout=60)
        assert output.returncode != 0, (end, output.stdout, whole[:end][-80:])
        assert desk.get("/program.ics").content == feed, end
    desk.source.body = lambda: whole
    assert "nothing changed" in desk.follow()
    assert desk.state()["problem"] is None and desk.status()["held"] is None


def test_a_sheet_that_lost_its_last_rows_is_held_until_an_organizer_decides(follow):
    desk = follow("google")
    desk.follow()
    whole = desk.source.talks
    desk.source.talks = whole[:-1]
    assert "lacks exactly its last row" in desk.follow(exit_code=1)
    held = desk.status()["held"]
    assert held["origin"] == "source" and [change["change"] for change in held["changes"]] == ["cancelled"]
    assert "lacks exactly its last row" in desk.follow(exit_code=1)
    assert desk.status()["held"]["at"] == held["at"], "it is the same release"
    desk.source.talks = whole
    desk.follow()
    assert desk.status()["held"] is None
    # The row was removed on purpose: the organizer publishes what is held.
    desk.source.talks = whole[:-1]
    desk.follow(exit_code=1)
    held = desk.status()["held"]
    rows = [{**row, "status": "cancelled"} if row["guid"] == whole[-1].key else {**row, "status": row.get("status", "")}
            for row in desk.rows()]  # fmt: skip
    answer = desk.ask("PUT", "/organizer/program", written(rows))
    assert answer.status_code == 201, answer.text
    assert "nothing changed" in desk.follow()
    assert desk.status()["held"] is None and held
    assert desk.live()[desk.uids()[whole[-1].key]][3] == "CANCELLED"


def test_a_source_that_loses_many_sessions_is_held_and_recovers(follow):
    desk = follow("sessionize")
    desk.follow()
    feed, whole = desk.get("/program.ics").content, desk.source.talks
    desk.source.talks = whole[:10]
    assert "removes, moves or retitles 14 of 24" in desk.follow(exit_code=1)
    assert desk.get("/program.ics").content == feed
    desk.source.talks = whole
    assert "nothing changed" in desk.follow()
    assert desk.status()["held"] is None and desk.get("/program.ics").content == feed


def test_a_conflict_stands_on_the_desk_until_it_is_resolved(follow):
    desk = follow("sessionize")
    desk.follow()
    one = desk.source.talks[3]
    uid = desk.uids()[one.key]

    def set_room(room: str) -> None:
        desk.upload(written([{**row, "room": room} if row["id"] == uid else row for row in desk.rows()]))

    set_room("Garden")
    desk.follow()
    assert desk.state()["conflicts"] == []
    desk.source.talks[3] = one.but(room="Hall")
    desk.follow()
    desk.source.talks[4] = desk.source.talks[4].but(title="Another change")
    desk.follow()
    [conflict] = desk.state()["conflicts"]
    assert conflict["cells"]["source"] == "Hall" and conflict["cells"]["file"] == "Garden"
    desk.stop()
    desk.start()
    assert desk.state()["conflicts"] == [conflict], "it survives a restart"
    set_room("Hall")
    desk.source.talks[5] = desk.source.talks[5].but(title="A third change")
    desk.follow()
    assert desk.state()["conflicts"] == [] and desk.live()[uid][2] == "Hall"


def test_redirects_stay_on_the_host_and_header_fields_with_them(follow, tmp_path):
    secret = "Token s3cret-of-pretalx"
    (tmp_path / "headers").write_text(f"# pretalx\nAuthorization: {secret}\n")
    desk = follow("pretalx", more=f'headers_file = "{tmp_path}/headers"')
    desk.source.fault = "redirect"
    desk.follow()
    assert [request["authorization"] for request in desk.source.requests] == [secret] * 2
    thief = Source("pretalx", [talk(number) for number in range(24)])
    desk.source.fault = "redirect-elsewhere"
    for elsewhere in [thief.url, thief.url.replace("127.0.0.1", "localhost")]:
        desk.source.elsewhere = elsewhere
        text = desk.follow(exit_code=1)
        assert "redirects to" in text and "unguessable" not in text
    assert thief.requests == []
    thief.close()
    (tmp_path / "headers").write_text("s3cret\n")
    text = desk.command(*desk.arguments("--once"), exit_code=78)
    assert "line 1" in text and "s3cret" not in text
    assert "s3cret" not in desk.log.read_text() and "unguessable" not in desk.log.read_text()


def test_a_service_recovers_within_an_interval_and_stops_cleanly(follow, tmp_path):
    desk = follow("google")
    log = tmp_path / "follow.log"
    with log.open("wb") as out:
        process = subprocess.Popen([str(BINARY), *desk.arguments()], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        wait_for(lambda: len(desk.live()) == 24, "the first program is published", 20)
        uid = desk.uids()[key(2)]
        for round, fault in enumerate(["503", "cut-length", "login", "reset", "half"]):
            desk.source.fault = fault
            wait_for(lambda: desk.state()["problem"] or desk.status()["held"], fault, 20)
            desk.source.talks[2] = desk.source.talks[2].but(title=f"Round {round}")
            desk.source.fault = ""
            began = time.monotonic()
            wait_for(lambda: desk.live()[uid][0] == f"Round {round}", f"recovery from {fault}", 20)
            assert time.monotonic() - began < 4, fault
        # The server restarts, and the service finds it again.
        desk.stop()
        desk.start()
        desk.source.talks[2] = desk.source.talks[2].but(title="After the restart")
        wait_for(lambda: desk.live()[uid][0] == "After the restart", "the server is found again", 20)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0, log.read_text()
    assert "unguessable" not in log.read_text()


def test_exit_codes_without_server_and_without_source(follow):
    desk = follow("google")
    desk.follow()
    desk.stop()
    assert "no server" in desk.follow(exit_code=1)
    config = desk.config.read_text()
    desk.config.write_text(config[: config.index("[source]")])
    assert "there is no [source]" in desk.command(*desk.arguments("--once"), exit_code=78)
    desk.config.write_text(config)
    desk.start()
    assert "nothing changed" in desk.follow(), "the store remembers the source"


def test_another_program_is_refused_until_the_source_is_forgotten(follow):
    desk = follow("google", count=12)
    desk.follow()
    feed = desk.get("/program.ics").content
    desk.source.talks = [talk(number) for number in range(24, 36)]
    assert "another program" in desk.follow(exit_code=65)
    assert "another program" in desk.state()["problem"]["reason"]
    assert desk.get("/program.ics").content == feed
    desk.command(*desk.arguments("--forget"))
    assert "12 sessions changed" in desk.follow()
    assert len(desk.live()) == 24


def test_metrics_and_releases_name_the_source(tmp_path):
    source = Source("ics", [talk(number) for number in range(4)])
    desk = Desk(tmp_path, source)
    desk.more = (*desk.more, "--operator-listen", "127.0.0.1:0")
    desk.start()
    try:
        desk.follow()
        releases = desk.ask("GET", "/organizer/releases").json()["releases"]
        assert [release["origin"] for release in releases] in (["first", "source"], ["source", "first"])
        assert rows_of(desk.ask("GET", "/organizer/program").content)[0]["guid"].startswith("K000X")
        assert re.search(r"\d{4}-", desk.state()["read"])
    finally:
        desk.kill()
        source.close()
