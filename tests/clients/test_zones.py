"""Sessions around every clock change of 2024-2027 in more than a hundred zones.

The feeds are written by the Rust test `zones`. Only readers that evaluate the feed's own VTIMEZONE take part.
"""

import pytest

from feeds import TARGET, by_dateutil, by_libical, expected, session_of

FEEDS = sorted((TARGET / "tmp" / "zones").glob("*.ics"))


def test_the_sweep_was_written():
    assert len(FEEDS) > 500, "run `cargo test zones` first; it writes these feeds"


def test_libical_finds_every_instant(libical):
    found = by_libical(libical, FEEDS)
    wrong = [feed.name for feed in FEEDS if sorted(map(session_of, found[str(feed)])) != expected(feed)]
    assert wrong == []


@pytest.mark.parametrize("window", ["2024-2027", "2024", "2025", "2026", "2027"])
def test_dateutil_finds_every_instant(window):
    feeds = [feed for feed in FEEDS if feed.stem.endswith(f"-{window}") and _window(feed) == window]
    assert len(feeds) > 100
    wrong = [feed.name for feed in feeds if sorted(by_dateutil(feed.read_bytes())) != expected(feed)]
    assert wrong == []


def _window(feed) -> str:
    return "2024-2027" if feed.stem.endswith("2024-2027") else feed.stem[-4:]
