"""Picks that another program exported and changed are imported again; terminals get tables."""

import shutil
import subprocess

import icalendar
import pytest
import requests

from feeds import by_icalendar
from server import BINARY

PICKS = ["live-laugh-log", "ml-monitoring", "slow-queries"]


def agenda(server, picks):
    answer = requests.post(server.origin + "/api/v1/agendas", json={"name": "Mine", "picks": picks}, timeout=10)
    assert answer.status_code == 201
    return answer.json()


def call(server, key, method, path, **more):
    headers = {"Authorization": f"Bearer {key}", **more.pop("headers", {})}
    return requests.request(method, server.origin + path, headers=headers, timeout=10, **more)


def test_an_agenda_rewritten_by_another_program_is_imported(server):
    mine, other = agenda(server, PICKS), agenda(server, [])
    ours = call(server, mine["edit_key"], "GET", "/api/v1/agenda/export?format=ics")
    assert len(by_icalendar(ours.content)) == len(PICKS)
    calendar = icalendar.Calendar.from_ical(ours.content)
    # Like a tool that assigns new UIDs, folds differently and sorts properties.
    for number, event in enumerate(calendar.walk("VEVENT")):
        if number:
            event["UID"] = f"{number}@another.example"
    foreign = calendar.to_ical(sorted=True)
    headers = {"Content-Type": "text/calendar"}
    told = call(server, other["edit_key"], "POST", "/api/v1/agenda/import", data=foreign, headers=headers)
    assert told.status_code == 200, told.text
    assert sorted(line["session"] for line in told.json()["matched"]) == PICKS
    assert told.json()["unknown"] == told.json()["ambiguous"] == told.json()["already_picked"] == []
    assert sorted(told.json()["picks"]) == PICKS


def test_guids_and_numbers_of_the_schedule_are_imported(server):
    events = [
        event
        for day in server.get("/schedule.json").json()["schedule"]["conference"]["days"]
        for room in day["rooms"].values()
        for event in room
    ]
    mixed = [event["guid"] if place % 2 else event["id"] for place, event in enumerate(events)]
    mine = agenda(server, [])
    told = call(server, mine["edit_key"], "POST", "/api/v1/agenda/import", json=mixed)
    assert len(told.json()["matched"]) == len(events) > 50
    assert told.json()["unknown"] == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_gets_tables(server):
    page = agenda(server, PICKS)["read_links"][0]["page"]
    for url in [server.origin + "/", page]:
        text = subprocess.run(["curl", "-s", url], capture_output=True, text=True, timeout=10, check=True).stdout
        assert "all times are America/Los_Angeles" in text and "<" not in text.split("\n")[0], text[:200]
        assert max(map(len, text.splitlines())) <= 80


def test_the_command_prints_a_shared_agenda_and_errors_hide_the_link(server):
    link = agenda(server, PICKS)["read_links"][0]

    def run(url):
        return subprocess.run([BINARY, "agenda", url], capture_output=True, text=True, timeout=20)

    tables = [run(url) for url in [link["page"], link["feed"], link["feed"].replace(".ics", ".jcal")]]
    assert [table.returncode for table in tables] == [0, 0, 0], tables
    assert tables[0].stdout == tables[1].stdout == tables[2].stdout
    assert tables[0].stdout.startswith("Mine\n") and "Tuesday, March 25, 2025" in tables[0].stdout
    token = link["page"].rsplit("/", 1)[1]
    server.stop()
    gone = run(link["page"])
    assert gone.returncode == 1 and "127.0.0.1" in gone.stderr
    assert token not in gone.stderr + gone.stdout
    assert run(link["page"] + "x").returncode == 64
