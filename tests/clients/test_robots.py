"""The addresses that robots.txt allows, by a matcher of RFC 9309 and by an older one."""

import urllib.robotparser

import pytest
from protego import Protego

TOKEN = "cbr_" + "a" * 35
FEEDS = ["/program.ics", "/program.ics?track=track-1", "/tracks/track-1.ics", "/days/2025-03-25.ics",
         "/sessions/ml-monitoring.ics", "/speakers/leonardo-antonio-dos-santos.ics", "/schedule.xml", "/changes.atom",
         "/dav/public/program/", f"/agendas/{TOKEN}.ics", f"/agendas/{TOKEN}.ics?alarm=10m", f"/agendas/{TOKEN}.jcal",
         f"/agendas/{TOKEN}/changes.atom", f"/team/{TOKEN}.ics", f"/api/v1/agendas/{TOKEN}"]  # fmt: skip
PRIVATE = ["/agenda", "/agenda?x=1", "/agenda/import", "/agenda/export.ics", "/handover/x", "/organizer",
           "/organizer/releases"]  # fmt: skip
AGENTS = ["Google-Calendar-Importer", "Googlebot", "*"]


@pytest.mark.parametrize("agent", AGENTS)
def test_robots_may_fetch_every_feed_and_nothing_private(server, agent):
    text = server.get("/robots.txt").text
    older = urllib.robotparser.RobotFileParser()
    older.parse(text.splitlines())
    newer = Protego.parse(text)
    for path in FEEDS + ["/", "/sessions/ml-monitoring", f"/agendas/{TOKEN}"]:
        assert newer.can_fetch(path, agent), path
        assert older.can_fetch(agent, path), path
    for path in PRIVATE:
        assert not newer.can_fetch(path, agent), path
        assert not older.can_fetch(agent, path), path
