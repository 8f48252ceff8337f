"""Single faults: exactly one file operation of the server fails.

A scripted session creates agendas, changes them, publishes, rolls back, and restarts once. A run without faults counts the
calls of each kind. Then each call fails once, in a session of its own, and the session continues. A refused write may be
stored, but only whole. Writes must work again within seconds, and feeds are read all the time. If the fault hits a start,
the start may fail with a message, but the next start must succeed. At the end the server is killed and started without the
shim, and everything acknowledged must be stored.

After a failed sync the kernel drops the pages that the sync covered. So such a session is also recorded, and judged again
on the files that a cut at its end leaves without those pages.
"""

import itertools
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from record import Replay, lay
from server import Board, Home, Refused, Server, remove
from truth import Agenda, Program, judge

ERRORS = {
    "write": ["EIO", "ENOSPC", "SHORT", "TORN"],
    "sync": ["EIO", "ENOSPC"],
    "rename": ["EIO", "ENOSPC"],
    "open": ["EIO", "ENOSPC"],
    "unlink": ["EIO"],
    "resize": ["EIO", "ENOSPC"],
    "mkdir": ["EIO", "ENOSPC"],
}
PATIENCE = 5  # seconds until writes work again after a single fault


class Reader(threading.Thread):
    """Reads feeds for as long as a server runs; every answer but 200 is a failure."""

    def __init__(self, server: Server, paths: list[str]):
        super().__init__(daemon=True)
        self.client, self.paths, self.ends, self.bad, self.reads = server.client(), paths, threading.Event(), [], 0

    def run(self) -> None:
        for path in itertools.cycle(self.paths):
            if self.ends.is_set():
                return
            answer = self.client.ask("GET", path)
            self.reads += 1
            if answer.status != 200 and not self.ends.is_set():
                self.bad.append(f"meanwhile {path.split('/')[1]} is answered with {answer.status} {answer.body[:160]!r}")
            self.ends.wait(0.01)

    def end(self) -> list[str]:
        self.ends.set()
        self.join()
        return self.bad[:2]


class Session:
    """The scripted session. `faults` has the failures that it found."""

    def __init__(self, home: Home, at: Path, seed: int, fault: str | None):
        self.home, self.at, self.dice = home, at, random.Random(seed)
        remove(at)
        self.root, self.log = at / "root", at / "log"
        self.root.mkdir(parents=True)
        self.board = Board(at / "board")
        self.shim = {"root": self.root, "board": self.board.path}
        self.is_recorded = bool(fault) and fault.startswith("sync:")
        if fault:
            self.shim["fault"] = fault
        if self.is_recorded:
            self.shim["log"] = self.log
        ticks = itertools.count(1)
        self.now = lambda: next(ticks)
        self.agendas, self.program = [], Program(self.now)
        self.faults: list[str] = []
        self.outcomes: Counter = Counter()
        self.said = ""
        self.panics: list[str] = []

    def run(self) -> "Session":
        self.program.begin()
        for number in range(2):
            server = self._start()
            if server is None:
                return self
            client = server.client()
            self._check(self.program.settle(client))
            reader = Reader(server, ["/program.ics", *(agenda.feed for agenda in self.agendas)])
            reader.start()
            for _ in range(2):
                self._write(client, self._new)
            for _ in range(3):
                for agenda in self.agendas:
                    self._write(client, agenda)
                if number == 0 or self.dice.random() < 0.5:
                    self._write(client, self.program)
            self.faults += reader.end()
            self.outcomes["reads"] += reader.reads
            if server.process.poll() is not None:
                self.faults.append(f"the server ended with {server.process.returncode}")
            if number:
                server.kill()
            elif (code := server.stop()) not in (0, None):
                self.outcomes[f"ended with {code}"] += 1
            self._hear(server)
        self._judge(self.root / "data", "after it")
        if self.is_recorded:
            replay = Replay(self.log, self.root)
            replay.advance(len(replay.log))
            lay(replay.cut(random.Random(0), "scattered", 0.0), self.at / "cut")
            self._judge(self.at / "cut" / "data", "after a cut that leaves out what was not synced")
        return self

    def _start(self) -> Server | None:
        for attempt in range(2):
            server = Server(self.home, self.root / "data", **self.shim)
            try:
                return server.start()
            except Refused as refused:
                self._hear(server)
                self.outcomes["start refused"] += 1
                if attempt or not self.board.has_fired():
                    self.faults.append(f"it does not start: {refused}")
                elif refused.code not in (1, 78) or "os error" not in refused.said and "disk" not in refused.said:
                    self.faults.append(f"a start is refused unclearly: {refused}")
        return None

    def _write(self, client, what) -> None:
        """Repeats a change until it is acknowledged. A refused change must be there whole or not at all."""
        started = time.monotonic()
        while True:
            if what is self._new:
                agenda = Agenda(self.now)
                answer = agenda.create(client, self.dice)
            elif what is self.program:
                answer = what.publish(client, self.dice)
            else:
                answer = what.change(client, self.dice)
            if 200 <= answer.status < 300:
                if what is not self._new:
                    self._check(what.settle(client))
                if what is self._new:
                    self.agendas.append(agenda)
                return
            self.outcomes[str(answer.status)] += 1
            if answer.status not in (503, 507) or "Retry-After" not in answer.headers:
                self.faults.append(f"a refused write is answered with {answer.status} {answer.body[:200]!r}")
            if what is not self._new:
                self._check(what.settle(client))
            if time.monotonic() - started > PATIENCE:
                self.faults.append(f"no write for {PATIENCE} s: {answer.status} {answer.body[:200]!r}")
                return
            time.sleep(0.05)

    _new = object()

    def _judge(self, data: Path, when: str) -> None:
        server = Server(self.home, data)
        try:
            server.start()
        except Refused as refused:
            self.faults.append(f"{when} it does not start: {refused}")
            return
        self.faults += [f"{when} {fault}" for fault in judge(server.client(), self.agendas, self.program, self.now())]
        server.kill()
        self._hear(server)

    def _hear(self, server: Server) -> None:
        self.said += server.said
        for place in server.panics():
            self.panics.append(place)
            if place.startswith("src/"):
                self.faults.append(f"panicked at {place}")

    def _check(self, fault: str | None) -> None:
        if fault:
            self.faults.append(fault)


def plan(calls: dict[str, int]) -> list[str]:
    return [f"{kind}:{n}:{how}" for kind, count in calls.items() for n in range(count) for how in ERRORS[kind]]


def run(home: Home, count: int | None, seed: int, jobs: int, only: list[str], say=print) -> list[str]:
    clean = Session(home, home.at / "clean", seed, None).run()
    calls = clean.board.calls()
    found = [f"without a fault: {fault}" for fault in clean.faults]
    todo = plan(calls)
    if only:
        todo = only
    elif count is not None and count < len(todo):
        dice = random.Random(seed)
        by_kind = {kind: [f for f in todo if f.startswith(kind + ":")] for kind in calls}
        for faults in by_kind.values():
            dice.shuffle(faults)
        rounds = itertools.chain.from_iterable(itertools.zip_longest(*by_kind.values()))
        todo = [fault for fault in rounds if fault][:count]  # the same share of each kind
    say("calls of a clean session: " + ", ".join(f"{n} {kind}" for kind, n in calls.items()))
    outcomes, fired, panics = Counter(), 0, Counter()

    def one(number: int, fault: str) -> tuple[str, Session]:
        return fault, Session(home, home.at / f"fault-{number % (4 * jobs)}-{number}", seed, fault).run()

    with ThreadPoolExecutor(jobs) as pool:
        for fault, session in pool.map(one, range(len(todo)), todo):
            outcomes += session.outcomes
            fired += session.board.has_fired()
            panics.update(session.panics)
            hit = next((line for line in session.said.splitlines() if line.startswith("disks: call")), "did not happen")
            found += [f"{fault} ({hit.removeprefix('disks: ')}): {wrong}" for wrong in session.faults[:3]]
            if only:
                say(session.said)
            remove(session.at)
    remove(clean.at)
    say(f"{len(todo)} faults of {len(plan(calls))}, {fired} met; {outcomes.pop('reads', 0)} reads meanwhile; "
        + "; ".join(f"{n} times {what}" for what, n in sorted(outcomes.items())))  # fmt: skip
    if panics:
        say("panics, caught ones included: " + "; ".join(f"{n} at {place}" for place, n in panics.most_common()))
    return found
