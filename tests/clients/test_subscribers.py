"""Golden feeds, subscribed by vdirsyncer and shown by khal."""

import threading
from datetime import datetime, timezone
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from feeds import GOLDEN, expected
from subscriber import Subscriber


class _Calendars(SimpleHTTPRequestHandler):
    extensions_map = {".ics": "text/calendar; charset=utf-8"}

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def subscriber(tmp_path_factory) -> Subscriber:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Calendars, directory=GOLDEN[0].parent))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    feeds = {_name(feed): f"{origin}/{feed.name}" for feed in GOLDEN}
    subscriber = Subscriber(tmp_path_factory.mktemp("subscriber"), feeds)
    subscriber.vdirsyncer("sync")
    yield subscriber
    server.shutdown()


def _name(feed: Path) -> str:
    return feed.stem.replace("-", "_")


@pytest.mark.parametrize("feed", GOLDEN, ids=lambda feed: feed.stem)
def test_khal_shows_the_sessions_that_vdirsyncer_fetched(subscriber, feed):
    sessions = expected(feed)
    assert len(subscriber.items(_name(feed))) == len(sessions)
    first = min((session.start for session in sessions), default=0)
    last = max((session.end for session in sessions), default=0)
    shown = subscriber.khal(_name(feed), "UTC", _day(first), _day(last + 2 * 86400))
    # vdirsyncer assigns new UIDs to feeds fetched by HTTP, so UIDs are not compared.
    found = [(_instant(e["start-long-full"]), _instant(e["end-long-full"]), e["title"], e["status"]) for e in shown]
    assert sorted(found) == sorted(session[1:] for session in sessions)


def _day(at: int) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%d")


def _instant(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=timezone.utc).timestamp())


def test_a_second_sync_changes_nothing(subscriber):
    before = {name: subscriber.items(name) for name in subscriber.feeds}
    subscriber.vdirsyncer("sync")
    assert {name: subscriber.items(name) for name in subscriber.feeds} == before
