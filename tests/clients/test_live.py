"""The running server, used by the client programs that people use."""

import time
from datetime import datetime, timezone

import icalendar
import pytest
import requests

from feeds import GOLDEN, by_icalendar, events, expected
from server import Server
from subscriber import Subscriber

PROGRAM = next(feed for feed in GOLDEN if feed.stem == "program")
CODINGS = ("identity", "gzip", "br", "zstd")


def test_icalendar_finds_every_session_of_the_program(server):
    response = server.get("/program.ics")
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    sessions = by_icalendar(response.content)
    assert len(sessions) == 64
    assert sorted(sessions) == expected(PROGRAM)
    talks = [e for e in events(response.content) if {"talk", "plenary"} & set(map(str, e["CATEGORIES"].cats))]
    first = min(event["DTSTART"].dt for event in talks)
    assert first == datetime(2025, 3, 25, 16, tzinfo=timezone.utc)
    assert b"node:field" not in response.content


def test_fetches_before_and_after_a_restart_have_the_same_bytes(server):
    paths = ["/program.ics", "/tracks/track-1.ics", "/tracks/discussion-track.ics", "/days/2025-03-26.ics",
             "/speakers/leonardo-antonio-dos-santos.ics", "/sessions/ml-monitoring.ics",
             "/program.ics?track=track-1&kind=talk", "/tracks/track-2.ics?alarm=10m&busy=yes"]  # fmt: skip

    def fetch():
        responses = [server.get(path) for path in paths]
        assert [response.status_code for response in responses] == [200] * len(paths)
        return [(response.content, response.headers["ETag"]) for response in responses]

    first = fetch()
    assert fetch() == first
    server.stop()
    server.start()
    assert fetch() == first


def test_last_modified_is_sent_once_the_feed_is_two_seconds_old_and_then_stays(server):
    def last_modified():
        return server.get("/program.ics").headers.get("Last-Modified")

    deadline = time.monotonic() + 30
    while not (first := last_modified()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert [last_modified() for _ in range(3)] == [first] * 3


@pytest.mark.parametrize("coding", CODINGS)
def test_an_unchanged_feed_is_304_in_each_coding(server, coding):
    response = _fetch_coded(server, coding)
    plain = server.get("/program.ics")
    assert response.content == plain.content
    assert "Accept-Encoding" in response.headers["Vary"]
    again = server.get("/program.ics", coding, If_None_Match=response.headers["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"].strip('W/"')
    other = server.get("/program.ics", coding, If_None_Match='"another"')
    assert (other.status_code, other.content) == (200, plain.content)
    since = server.get("/program.ics", coding, If_Modified_Since=plain.headers.get("Last-Modified", ""))
    assert since.status_code == (304 if "Last-Modified" in plain.headers else 200)


def _fetch_coded(server: Server, coding: str) -> requests.Response:
    """Waits for a coding; the server makes them in the background within seconds of its start."""
    for _ in range(100):
        response = server.get("/program.ics", coding)
        if response.headers.get("Content-Encoding", "identity") == coding:
            return response
        time.sleep(0.1)
    raise AssertionError(f"never sent as {coding}")


def test_a_second_sync_of_track_1_changes_nothing_and_khal_shows_its_hours(server, tmp_path):
    subscriber = Subscriber(tmp_path, {"track_1": f"{server.origin}/tracks/track-1.ics"})
    subscriber.vdirsyncer("sync")
    items = subscriber.items("track_1")
    assert len(items) == len(expected(PROGRAM.with_stem("track-track-1")))
    subscriber.vdirsyncer("sync")
    assert subscriber.items("track_1") == items
    for zone, hour in (("America/Los_Angeles", "11:00"), ("Europe/Berlin", "19:00")):
        first = subscriber.khal("track_1", zone, "2025-03-25", "1d")[0]
        assert first["title"] == "An SRE Approach to Monitoring ML in Production"
        assert first["start-long-full"] == f"2025-03-25 {hour}", zone


def test_ten_picks_survive_a_kill_after_each_acknowledgement(server):
    made = requests.post(f"{server.origin}/api/v1/agendas", json={"name": "Ten picks"}, timeout=10)
    assert made.status_code == 201, made.text
    agenda = made.json()
    authorization = {"Authorization": f"Bearer {agenda['edit_key']}"}
    picks = [session.uid.split("@")[0] for session in sorted(expected(PROGRAM), key=lambda s: s.start)][3:43:4]
    assert len(picks) == 10
    for pick in picks:
        put = requests.put(f"{server.origin}/api/v1/agenda/picks/{pick}", headers=authorization, timeout=10)
        server.kill()
        assert put.status_code == 204, put.text
        server.start()
    feed = server.get(agenda["read_links"][0]["feed"])
    calendar = icalendar.Calendar.from_ical(feed.content)
    found = [str(event["UID"]).split("@")[0] for event in calendar.walk("VEVENT")]
    assert found == picks
