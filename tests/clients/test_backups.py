"""Backups: made while the server writes, and restored after a loss of all data.

The restore drill makes a backup, deletes the data and restores it; every feed then has the same bytes. Calendars have
seen changes that an older backup lacks. So after a restore of it, no release number or sequence may have other content.
"""

import os
import re
import shutil
import stat
import threading
import time
from pathlib import Path

import pytest
import requests

from feeds import events
from organizer import FEEDS, SECRET, Organizer, edited, written

PICKS = ["slow-queries", "live-laugh-log", "search-for-speed"]


class Board(Organizer):
    """An organizer, and an attendee with an agenda."""

    def __init__(self, home: Path):
        super().__init__(home)
        self.given: dict[tuple[str, str, int], bytes] = {}
        self.key = self.feed = None

    def flags(self) -> list[str]:
        return ["--config", str(self.config), "--data", str(self.data)]

    def call(self, method: str, path: str, json: object = None, **headers: str) -> requests.Response:
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        return requests.request(method, self.origin + path, json=json, headers=headers, timeout=30)

    def make_agenda(self) -> None:
        made = self.call("POST", "/api/v1/agendas", {"name": "Mine", "picks": PICKS[:2]})
        assert made.status_code == 201, made.text
        self.key, self.feed = made.json()["edit_key"], made.json()["read_links"][0]["feed"]

    def pick(self, id: str) -> None:
        answer = self.call("PUT", f"/api/v1/agenda/picks/{id}")
        assert answer.ok, answer.text

    def version(self) -> str:
        return self.call("GET", "/api/v1/agenda").headers["ETag"]

    def retitle(self, word: str) -> None:
        self.upload(written(edited(self.rows(), **{id.replace("-", "_"): {"title": f"{id} {word}"} for id in PICKS})))

    def feeds(self) -> dict[str, bytes]:
        paths = [*FEEDS, *([self.feed] if self.feed else [])]
        return {path: self.get(path).content for path in paths}

    def watch(self) -> dict[str, int]:
        """Reads the feeds, checks that no sequence returns with other content, and returns the sequences."""
        sequences = {}
        for path in FEEDS[:5]:
            for event in events(self.get(path).content):
                uid, sequence = str(event["UID"]), int(event["SEQUENCE"])
                body = event.to_ical()
                known = self.given.setdefault((path, uid, sequence), body)
                assert known == body, f"{uid} was seen as sequence {sequence} with other content"
                sequences[uid] = max(sequences.get(uid, 0), sequence)
        return sequences

    def releases(self) -> list[int]:
        return [release["release"] for release in self.ask("GET", "/organizer/releases").json()["releases"]]


@pytest.fixture
def board(tmp_path):
    board = Board(tmp_path)
    board.start()
    yield board
    if board.process:
        board.kill()


def wipe(board: Board, *spared: str) -> None:
    for path in board.data.iterdir():
        if path.name not in spared:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_the_drill_restores_every_feed_byte_for_byte(board, tmp_path):
    board.make_agenda()
    board.retitle("once")
    board.retitle("twice")
    board.pick(PICKS[2])
    before, backup = board.feeds(), tmp_path / "backup.ndjson"
    socket = board.data / "control.sock"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600

    said = board.command("backup", str(backup), *board.flags())
    assert "SHA-256 verified" in said
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    for secret in [board.key, board.feed.rsplit("/")[-1].removesuffix(".ics"), SECRET]:
        assert secret not in backup.read_text()
    assert "whole" in board.command("verify", str(backup))

    for spared, flags in [((), ["--latest"]), (("high-water",), [])]:
        board.stop()
        assert not socket.exists()
        wipe(board, *spared)
        said = board.command("restore", str(backup), *flags, *board.flags())
        assert "at release 3" in said
        assert "sound" in board.command("verify", *board.flags())
        board.start()
        assert board.feeds() == before
        assert set(board.call("GET", "/api/v1/agenda").json()["picks"]) == set(PICKS)
        assert sorted(board.releases()) == [1, 2, 3]
        board.pick("live-laugh-log")


def test_a_stopped_store_and_a_running_one_give_the_same_backup(board, tmp_path):
    board.make_agenda()
    board.retitle("once")
    running, stopped = tmp_path / "running.ndjson", tmp_path / "stopped.ndjson"
    board.command("backup", str(running), *board.flags())
    board.stop()
    board.command("backup", str(stopped), *board.flags())

    def records(file: Path) -> list[str]:
        lines = file.read_text().splitlines()
        return [line for line in lines[1:-1] if '"table":"note"' not in line]  # written when the server stops

    assert records(running) == records(stopped)


def test_a_backup_made_during_writes_is_consistent(board, tmp_path):
    board.make_agenda()
    stop = threading.Event()
    rounds = []

    def write():
        while not stop.is_set():
            board.retitle(f"round {len(rounds)}")
            rounds.append(len(rounds))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backups = [tmp_path / f"{n}.ndjson" for n in range(5)]
        for n, backup in enumerate(backups):
            while len(rounds) <= n:
                time.sleep(0.01)
            board.command("backup", str(backup), *board.flags())
    finally:
        stop.set()
        writer.join()
    assert len(rounds) >= 5
    seen = board.watch()
    board.stop()
    for backup in backups:
        board.command("restore", str(backup), *board.flags())
        board.start()
        words = set(re.findall(rf"SUMMARY:(?:{'|'.join(PICKS)}) (round [0-9]+)", board.get("/program.ics").content.decode()))
        assert len(words) == 1, words
        now = board.watch()
        assert all(now[uid] > sequence for uid, sequence in seen.items())
        seen = now
        board.stop()


@pytest.mark.parametrize("marked", [True, False], ids=["with its high-water mark", "without"])
def test_after_restoring_an_older_backup_no_number_is_issued_twice(board, tmp_path, marked):
    board.make_agenda()
    board.retitle("once")
    backup = tmp_path / "backup.ndjson"
    board.command("backup", str(backup), *board.flags())
    for word in ["twice", "thrice", "four times"]:
        board.retitle(word)
        board.pick(PICKS[2])
        board.call("DELETE", f"/api/v1/agenda/picks/{PICKS[2]}")
        seen = board.watch()
    new = {**board.rows()[-1], "id": "a-late-talk", "title": "A late talk"}
    board.upload(written([*board.rows(), new]))
    seen |= board.watch()
    last, numbers = max(board.releases()), {s["guid"]: s["id"] for s in guids(board)}
    link = board.call("POST", "/api/v1/agenda/links", {"label": "lost"}).json()
    tag = board.version()
    board.stop()
    wipe(board, *(["high-water"] if marked else []))

    said = board.command("restore", str(backup), *board.flags())
    assert "published again above all numbers issued since" in said
    board.start()
    now = board.watch()
    assert all(now[uid] > seen[uid] for uid in now), "a calendar keeps what it has"
    assert max(board.releases()) > last
    for word in ["five times", "six times"]:
        board.retitle(word)
        again = board.watch()
        assert all(again[uid] >= now[uid] for uid in now)
    stale = board.call("PATCH", "/api/v1/agenda", {"name": "Over"}, **{"If-Match": tag})
    assert stale.status_code == 412, "a version of before the restore is another state"
    assert board.version() != tag
    fresh = board.call("POST", "/api/v1/agenda/links", {"label": "new"}).json()
    assert fresh["feed"] != link["feed"] and fresh["n"] > link["n"]
    other = {**new, "id": "another-talk", "title": "Another talk"}
    board.upload(written([*board.rows(), other]))
    board.watch()
    taken = {s["guid"]: s["id"] for s in guids(board)}
    added = [id for guid, id in taken.items() if guid not in numbers]
    assert len(added) == 1 and added[0] not in numbers.values(), "a session's number is never another's"


def guids(board: Board) -> list[dict]:
    days = board.get("/schedule.json").json()["schedule"]["conference"]["days"]
    return [event for day in days for room in day["rooms"].values() for event in room]


def test_an_incomplete_backup_changes_nothing(board, tmp_path):
    board.make_agenda()
    backup = tmp_path / "backup.ndjson"
    board.command("backup", str(backup), *board.flags())
    whole, before = backup.read_bytes(), board.feeds()
    assert "in use by another callboard" in board.command("restore", str(backup), *board.flags(), exit_code=1)
    assert "in use by another callboard" in board.command("verify", *board.flags(), exit_code=1)
    board.stop()
    newer = re.sub(rb'"version":\d+', b'"version":99', whole, count=1)
    for n, damaged in enumerate([b"", whole[:-1], whole[: len(whole) // 2], whole.replace(b"Mine", b"Thin"),
                                 whole + b"\n", newer]):  # fmt: skip
        assert damaged != whole
        bad = tmp_path / f"bad-{n}.ndjson"
        bad.write_bytes(damaged)
        assert "no whole backup" in board.command("restore", str(bad), *board.flags(), exit_code=1)
        assert "no whole backup" in board.command("verify", str(bad), exit_code=1)
    other = tmp_path / "other.toml"
    other.write_text(board.config.read_text().replace('slug = "srecon25americas"', 'slug = "another"'))
    said = board.command("restore", str(backup), "--config", str(other), "--data", str(board.data), exit_code=78)
    assert "is a backup of srecon25americas" in said
    board.start()
    assert board.feeds() == before
    assert not (board.data / "replaced").exists()


def test_a_crash_during_a_restore_is_repaired(board, tmp_path):
    board.make_agenda()
    before, backup = board.feeds(), tmp_path / "backup.ndjson"
    board.command("backup", str(backup), *board.flags())
    board.stop()
    spare = tmp_path / "spare"
    shutil.copytree(board.data, spare)
    board.command("restore", str(backup), *board.flags())
    names = ["journal", "checkpoints", "index"]
    for done in range(len(names) + 1):
        # The state after a crash: all files are in `restored`, and the first few of them are also in their final place.
        left = tmp_path / f"left-{done}"
        shutil.copytree(spare, left)
        for directory in ["restored", "replaced"]:
            (left / directory).mkdir()
        for n, name in enumerate(names):
            source = board.data / name
            if n < done:
                (left / name).rename(left / "replaced" / name)
                shutil.copytree(source, left / name)
            else:
                shutil.copytree(source, left / "restored" / name)
        again = Board(tmp_path)
        again.listen, again.data, again.feed = board.listen, left, board.feed
        again.log = tmp_path / f"left-{done}.log"
        again.start()
        try:
            assert again.feeds() == before
        finally:
            again.stop()
        assert not (left / "restored").exists() and (left / "replaced" / "index").is_dir()


def test_damage_is_found_and_repaired(board):
    board.make_agenda()
    board.retitle("once")
    before = board.feeds()
    board.stop()
    assert "sound" in board.command("verify", *board.flags())
    database = board.data / "index" / "db"
    text = bytearray(database.read_bytes())
    for at in range(len(text) // 3, len(text) // 3 + 4096):
        text[at] ^= 0xFF
    database.write_bytes(text)
    said = board.command("verify", *board.flags(), exit_code=1)
    assert "damaged: " in said and "index" in said
    said = board.command("verify", "--repair", *board.flags())
    assert any(line.startswith("sound") for line in said.splitlines())
    board.start()
    assert board.feeds() == before
    board.stop()

    # Now the checkpoint, the second copy, is damaged; the sound index repairs it.
    [checkpoint] = (board.data / "checkpoints").glob("*.ndjson")
    text = bytearray(checkpoint.read_bytes())
    text[len(text) // 2] ^= 1
    checkpoint.write_bytes(text)
    assert "damaged: " in board.command("verify", *board.flags(), exit_code=1)
    said = board.command("verify", "--repair", *board.flags())
    assert any(line.startswith("sound") for line in said.splitlines())
    board.start()
    assert board.feeds() == before


def test_a_restored_store_rebuilds_a_lost_index_from_the_checkpoint(board, tmp_path):
    board.make_agenda()
    board.retitle("once")
    before, backup = board.feeds(), tmp_path / "backup.ndjson"
    board.command("backup", str(backup), *board.flags())
    board.stop()
    wipe(board, "high-water")
    board.command("restore", str(backup), *board.flags())

    # The journal is still empty, so the index can only come from the checkpoint.
    shutil.rmtree(board.data / "index")
    (board.data / "index").mkdir()
    said = board.command("verify", *board.flags(), exit_code=1)
    assert "the next start restores" in said and "adds them" not in said
    board.start()
    assert board.feeds() == before


def test_a_server_that_dies_leaves_an_earlier_backup_alone(board, tmp_path):
    backup = tmp_path / "backup.ndjson"
    board.command("backup", str(backup), *board.flags())
    whole = backup.read_bytes()
    assert "cannot be written" in board.command("backup", str(tmp_path / "no" / "where"), *board.flags(), exit_code=1)
    board.kill()
    socket = board.data / "control.sock"
    assert socket.exists(), "a killed server leaves its socket"
    board.command("backup", str(backup), *board.flags())
    assert backup.read_bytes() != b"" and len(backup.read_bytes()) >= len(whole) // 2
    nothing = tmp_path / "nothing"
    said = board.command("backup", str(backup), "--config", str(board.config), "--data", str(nothing), exit_code=1)
    assert "there is nothing to back up" in said and not os.path.exists(nothing)
    assert backup.exists() and not backup.with_name("backup.ndjson.unfinished").exists()
