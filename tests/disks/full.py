"""A full disk: a small mounted file system if possible, else the shim's limit of bytes.

Agendas are created and changed until the server refuses one, with 507 within a second. Writes stay refused, feeds and
everything acknowledged can be read, and a restart on the full disk changes nothing. Then space is freed, and writes must
work again within five seconds without a restart. The size of the disk differs each time, so it fills at different moments.
"""

import itertools
import os
import random
import shutil
import subprocess
import time
from pathlib import Path

from faults import Reader
from server import Board, Home, Refused, Server, remove
from truth import Agenda, Program, judge

MEBIBYTE = 1 << 20
KINDS = ["tmpfs", "ext4", "shim"]


class Disk:
    """A disk that is filled up and can be freed again."""

    SIZE = 64 * MEBIBYTE

    def __init__(self, home: Home, at: Path, kind: str):
        self.kind, self.at = kind, at
        at.mkdir()
        self.mount = at / "disk"
        self.mount.mkdir()
        self.shim: dict = {}
        if kind == "shim":
            self.board = Board(at / "board")
            self.board.set_room(self.SIZE)
            self.shim = {"root": self.mount, "board": self.board.path, "full": 1}
        elif kind == "tmpfs":
            self._run("mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", self.mount)
        else:
            image = at / "image"
            with open(image, "wb") as file:
                file.truncate(self.SIZE)
            self._run("mkfs.ext4", "-q", "-F", "-m", "0", image)
            self._run("mount", "-o", "loop", image, self.mount)

    @staticmethod
    def _run(*command) -> None:
        subprocess.run([str(part) for part in command], check=True, capture_output=True)

    def leave(self, room: int) -> None:
        """Fills the disk up to a number of free bytes."""
        if self.kind == "shim":
            self.board.set_room(room)
            return
        os.sync() if self.kind == "ext4" else None
        with open(self.mount / "taken", "wb", buffering=0) as file:
            try:
                while (left := self._left() - room) > 0:
                    file.write(os.urandom(min(left, MEBIBYTE)))
            except OSError:
                pass  # slightly fewer bytes than requested

    def _left(self) -> int:
        found = os.statvfs(self.mount)
        return found.f_bavail * found.f_frsize

    def free(self) -> None:
        if self.kind == "shim":
            self.board.set_room(self.SIZE)
        else:
            (self.mount / "taken").unlink()

    def end(self) -> None:
        if self.kind != "shim":
            subprocess.run(["umount", "--lazy", self.mount], capture_output=True)
        remove(self.at)


def missing(kind: str) -> str | None:
    """The reason why this machine cannot make such a disk."""
    if kind == "shim":
        return None
    if os.geteuid() != 0 or not shutil.which("mount"):
        return "only root may mount"
    if kind == "ext4" and not (shutil.which("mkfs.ext4") and Path("/dev/loop-control").exists()):
        return "no mkfs.ext4 or no loop devices"
    return None


def fill_up(server: Server, disk: Disk, dice: random.Random) -> tuple[list[str], str]:
    ticks = itertools.count(1)
    now = lambda: next(ticks)
    program, agendas, found = Program(now), [], []
    program.begin()
    client = server.start().client()
    found += filter(None, [program.settle(client)])
    first = Agenda(now)
    if first.create(client, dice).status != 201:
        return ["no agenda can be made on a new disk"], ""
    agendas.append(first)
    room = dice.choice([0, dice.randrange(64 * 1024), dice.randrange(2 * MEBIBYTE)])
    disk.leave(room)
    reader = Reader(server, ["/program.ics", first.feed])
    reader.start()

    def write(number: int):
        """Sends a change of some kind; returns its answer and its kind."""
        if number % 25 == 9:
            return program.publish(client, dice), program
        if number % 3 == 2:
            agenda = dice.choice(agendas)
            return agenda.change(client, dice), agenda
        agenda = Agenda(now)
        answer = agenda.create(client, dice)
        if answer.status == 201:
            agendas.append(agenda)
        return answer, agenda

    refused_since, number, took, refusals = None, 0, 0.0, 0
    while refused_since is None or time.monotonic() - refused_since < 1.5:
        number += 1
        if number % 40 == 0:
            client = server.client(f"127.0.3.{number // 40 % 250 + 1}")
        started = time.monotonic()
        answer, what = write(number)
        last = time.monotonic() - started
        if answer.status in (200, 201, 204):
            if number > 60000:
                return [*found, "the disk is never full"], ""
            continue
        took, refusals = max(took, last), refusals + 1
        refused_since = refused_since or time.monotonic()
        if answer.status != 507 or last > 1:
            found.append(f"write {number} is answered with {answer.status} after {last:.2f} s: {answer.body[:160]!r}")
        if what is program or what.key:
            found += filter(None, [what.settle(client)])
        time.sleep(0.02)
    found += judge(client, agendas[:3] + agendas[-3:], program, now())
    if dice.random() < 0.5:
        found += reader.end()
        server.kill()
        try:
            server.start()
        except Refused as refused:
            return [*found, f"on the full disk it does not start: {refused}"], ""
        client = server.client()
        reader = Reader(server, ["/program.ics", first.feed])
        reader.start()
        found += [f"restarted on the full disk: {fault}" for fault in judge(client, agendas, program, now())]
    disk.free()
    freed = time.monotonic()
    for what in (first, program):
        while (answer := _again(what, client, dice)).status not in (200, 201, 204):
            found += filter(None, [what.settle(client)])
            if time.monotonic() - freed > 5:
                found.append(f"5 s after space came back a write is answered with {answer.status} {answer.body[:160]!r}")
                break
            time.sleep(0.05)
    back = time.monotonic() - freed
    found += filter(None, [program.settle(client), *(agenda.settle(client) for agenda in agendas)])
    found += reader.end()
    server.kill()
    server.start()
    found += [f"after a restart: {fault}" for fault in judge(server.client(), agendas, program, now())]
    server.kill()
    found += [f"panicked at {place}" for place in server.panics() if place.startswith("src/")]
    report = f"{room} bytes left, full after {number} writes; refused {refusals} times, the slowest in {took * 1000:.0f} ms; "
    return found, report + f"written again {back * 1000:.0f} ms after space came back; {reader.reads} reads"


def _again(what: Agenda | Program, client, dice: random.Random):
    return what.publish(client, dice) if isinstance(what, Program) else what.change(client, dice)


def run(home: Home, count: int, seed: int, kinds: list[str] | None = None, say=print) -> list[str]:
    found = []
    usable = []
    for kind in kinds or KINDS:
        why = missing(kind)
        say(f"{kind}: skipped, {why}") if why else usable.append(kind)
    for number in range(count):
        kind, dice = usable[number % len(usable)], random.Random(seed + number)
        disk = Disk(home, home.at / f"disk-{number}", kind)
        server = Server(home, disk.mount / "data", **disk.shim)
        try:
            faults, report = fill_up(server, disk, dice)
        finally:
            server.kill()
            disk.end()
        say(f"disk {number} ({kind}): {report}")
        found += [f"disk {number} ({kind}): {fault}" for fault in faults[:4]]
    return found
