"""The program and an agenda as CalDAV accounts, in vdirsyncer and in the caldav library. After a release a client fetches
exactly the changes, by sync token and by tag."""

import os
import subprocess
import sys
from pathlib import Path

import caldav
import pytest
import requests

from feeds import events
from organizer import Organizer, written

PICKS = ["slow-queries", "live-laugh-log", "ml-monitoring"]


@pytest.fixture
def organizer(tmp_path) -> Organizer:
    organizer = Organizer(tmp_path)
    organizer.start()
    yield organizer
    organizer.stop()


def agenda(origin: str, picks: list[str]) -> tuple[str, str]:
    """An agenda's edit key, and the token of its read link."""
    answer = requests.post(origin + "/api/v1/agendas", json={"picks": picks}, timeout=10)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return made["edit_key"], made["read_links"][0]["feed"].rsplit("/", 1)[1].removesuffix(".ics")


def names(objects) -> set[str]:
    return {str(one.url).rsplit("/", 1)[1].removesuffix(".ics") for one in objects}


def changed_program(organizer: Organizer) -> tuple[bytes, set[str]]:
    """Moves one pick, cancels another, retitles a third session and adds a fourth."""
    rows = organizer.rows()
    by_id = {row["id"]: row for row in rows}
    moved, cancelled = by_id[PICKS[0]], by_id[PICKS[1]]
    other = next(row for row in rows if row["id"] not in PICKS and row["kind"] == "talk")
    new = {**other, "id": "one-more-talk", "title": "One more talk"}
    moved.update(room="Somewhere else")
    cancelled.update(status="cancelled")
    other.update(title="A better title")
    return written(rows + [new]), {moved["id"], cancelled["id"], other["id"], new["id"]}


def test_the_caldav_library_discovers_and_syncs_by_token(organizer):
    with caldav.DAVClient(organizer.origin + "/dav/public/", username="any", password="thing") as client:
        calendars = {calendar.name: calendar for calendar in client.principal().calendars()}
        assert len(calendars) > 3
        program = next(one for one in calendars.values() if str(one.url).endswith("/program/"))
        everything = program.objects_by_sync_token(load_objects=True)
        assert names(everything) == {row["id"] for row in organizer.rows()}
        assert list(program.objects_by_sync_token(everything.sync_token)) == []
        text, expected = changed_program(organizer)
        organizer.upload(text)
        changed = program.objects_by_sync_token(everything.sync_token, load_objects=True)
        assert names(changed) == expected
        cancelled = next(one for one in changed if PICKS[1] in str(one.url))
        assert str(events(cancelled.data.encode())[0]["STATUS"]) == "CANCELLED"


@pytest.mark.parametrize("start", ["/", "/dav/", "/.well-known/caldav", "/dav/public/"])
def test_the_caldav_library_finds_the_program_from_the_host_alone_and_without_a_user_name(organizer, start):
    with caldav.DAVClient(organizer.origin + start) as client:
        calendars = client.principal().calendars()
        assert any(str(one.url).endswith("/dav/public/program/") for one in calendars)


@pytest.mark.parametrize("user", ["", "me"])
@pytest.mark.parametrize("start", ["/", "/dav/", "/.well-known/caldav", "/dav/agendas/"])
def test_the_caldav_library_finds_the_agenda_of_a_token(organizer, start, user):
    _, token = agenda(organizer.origin, PICKS)
    # The client sends credentials at once, because only the agenda's own tree sends a challenge.
    auth = requests.auth.HTTPBasicAuth(user, token)
    with caldav.DAVClient(organizer.origin + start, auth=auth) as client:
        (calendar,) = client.principal().calendars()
        assert str(calendar.url).endswith("/dav/agendas/agenda/")
        assert names(calendar.objects_by_sync_token()) == set(PICKS)


def test_a_cancelled_session_says_so_in_the_title_in_the_other_trees(organizer):
    organizer.upload(changed_program(organizer)[0])
    with caldav.DAVClient(organizer.origin + "/dav/cancelled-title/public/") as client:
        calendars = client.principal().calendars()
        program = next(one for one in calendars if str(one.url).endswith("/cancelled-title/public/program/"))
        found = program.objects_by_sync_token(load_objects=True)
        event = events(next(one for one in found if PICKS[1] in str(one.url)).data.encode())[0]
        assert str(event["SUMMARY"]).startswith("CANCELLED: ") and str(event["STATUS"]) == "CONFIRMED"


def test_an_agenda_gets_its_changes_and_loses_unpicked_sessions(organizer):
    key, token = agenda(organizer.origin, PICKS)
    with caldav.DAVClient(organizer.origin + "/dav/agendas/", username="me", password=token) as client:
        (calendar,) = client.principal().calendars()
        first = calendar.objects_by_sync_token(load_objects=True)
        assert names(first) == set(PICKS)
        organizer.upload(changed_program(organizer)[0])
        second = calendar.objects_by_sync_token(first.sync_token, load_objects=True)
        assert names(second) == set(PICKS[:2])
        gone = requests.delete(
            f"{organizer.origin}/api/v1/agenda/picks/{PICKS[2]}", headers={"Authorization": f"Bearer {key}"}, timeout=10
        )
        assert gone.status_code == 204
        first.sync()
        assert names(first) == set(PICKS[:2])


def test_vdirsyncer_discovers_both_and_transfers_the_changes(organizer, tmp_path):
    _, token = agenda(organizer.origin, PICKS)
    config = tmp_path / "vdirsyncer"
    text = f'[general]\nstatus_path = "{tmp_path}/status/"\n'
    # Discovery by the host alone, and by the tree.
    for name, path, password in [("all", "/", "any"), ("mine", "/", token), ("again", "/dav/agendas/", token)]:
        text += (
            f'[pair {name}]\na = "{name}_here"\nb = "{name}_there"\ncollections = ["from b"]\n'
            f'conflict_resolution = "b wins"\n[storage {name}_here]\ntype = "filesystem"\n'
            f'path = "{tmp_path}/vdir/{name}/"\nfileext = ".ics"\n[storage {name}_there]\ntype = "caldav"\n'
            f'url = "{organizer.origin}{path}"\nusername = "me"\npassword = "{password}"\nread_only = true\n'
        )
    config.write_text(text)
    run(config, tmp_path, "discover")
    run(config, tmp_path, "sync")
    rows = {row["id"] for row in organizer.rows()}
    before = files(tmp_path / "vdir" / "all" / "program")
    assert before.keys() == rows
    assert files(tmp_path / "vdir" / "mine" / "agenda").keys() == set(PICKS)
    assert files(tmp_path / "vdir" / "again" / "agenda").keys() == set(PICKS)
    run(config, tmp_path, "sync")
    assert files(tmp_path / "vdir" / "all" / "program") == before
    program, expected = changed_program(organizer)
    organizer.upload(program)
    run(config, tmp_path, "sync")
    after = files(tmp_path / "vdir" / "all" / "program")
    assert {name for name in after if after[name] != before.get(name)} == expected
    assert after.keys() >= rows
    assert b"STATUS:CANCELLED" in after[PICKS[1]][1]


def test_vdirsyncer_discovers_each_time(organizer, tmp_path):
    """vdirsyncer sends a request's head and body in two writes: a connection that closes between them fails it."""
    config = tmp_path / "vdirsyncer"
    config.write_text(
        f'[general]\nstatus_path = "{tmp_path}/status/"\n[pair all]\na = "here"\nb = "there"\n'
        f'collections = ["from b"]\n[storage here]\ntype = "filesystem"\npath = "{tmp_path}/vdir/"\n'
        f'fileext = ".ics"\n[storage there]\ntype = "caldav"\nurl = "{organizer.origin}/"\nread_only = true\n'
    )
    for _ in range(6):
        run(config, tmp_path, "discover")


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    found = {}
    for file in folder.iterdir():
        if file.suffix == ".ics":
            uid = str(events(file.read_bytes())[0]["UID"]).split("@")[0]
            found[uid] = (file.stat().st_mtime_ns, file.read_bytes())
    return found


def run(config: Path, home: Path, command: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "vdirsyncer"), "-c", str(config), command],
        env={**os.environ, "HOME": str(home), "LC_ALL": "C.UTF-8"},
        input="y\n" * 200, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
