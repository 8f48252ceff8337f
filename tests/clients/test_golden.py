"""Every golden feed, read by foreign libraries: the same sessions at the same instants."""

import pytest

from feeds import GOLDEN, by_dateutil, by_icalendar, by_libical, events, expected, session_of, truth

pytestmark = pytest.mark.parametrize("feed", GOLDEN, ids=lambda feed: feed.stem)


def test_icalendar_finds_the_same_sessions(feed):
    content = feed.read_bytes()
    assert sorted(by_icalendar(content)) == expected(feed)
    for event, session in _beside(feed):
        assert session["abstract"] in str(event["DESCRIPTION"])


def test_dateutil_finds_the_same_instants_by_the_feeds_own_zone(feed):
    assert sorted(by_dateutil(feed.read_bytes())) == expected(feed)


def test_libical_finds_the_same_sessions_by_the_feeds_own_zone(feed, libical):
    found = by_libical(libical, [feed])[str(feed)]
    assert sorted(map(session_of, found)) == expected(feed)
    abstracts = {session["uid"]: session["abstract"] for session in truth(feed)}
    assert all(abstracts[event["uid"]] in event["description"] for event in found)


def test_every_session_has_what_clients_need(feed):
    uids = [str(event["UID"]) for event in events(feed.read_bytes())]
    assert len(uids) == len(set(uids))
    for event in events(feed.read_bytes()):
        for name in ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE", "LOCATION", "CATEGORIES", "URL", "CLASS", "TRANSP"):
            assert name in event, f"{event['UID']} lacks {name}"
        assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt


def _beside(feed):
    by_uid = {str(event["UID"]): event for event in events(feed.read_bytes())}
    return [(by_uid[session["uid"]], session) for session in truth(feed)]
