"""SIGKILLs at random moments, all on one growing data directory.

Several clients make agendas and change picks, and one publishes. Each kill aims at one of these moments:

- writing: while changes of picks are under way
- publishing: between the request for a release and its answer
- checkpointing: while a checkpoint is written, or before the oldest one is removed
- opening: within a start, before the server listens
- rebuilding: within a start that rebuilds an index that was removed, cut or damaged

A kill counts for its moment only if files, answers or log show that the kill came at that moment. Otherwise it counts as
writing, and the next kill tries again. Two kills in a row may hit starts. After all other kills the server is started and
everything is checked: each agenda with its feed, the live release, the program of each release, and all sequences.

A pick counts as acknowledged once the answer to the change that added it has arrived.
"""

import random
import shutil
import statistics
import threading
import time
from collections import Counter
from itertools import count as counting
from pathlib import Path

from server import Home, Refused, Server, remove
from truth import GONE, Agenda, Program, judge

SESSIONS = [f"talk-{n}" for n in range(64)]
MAX_PICKS = 40
AGENDAS, PICKERS = 240, 6
DECK = ["writing"] * 2 + ["publishing", "checkpointing", "opening", "rebuilding"] * 2
IN_A_START = ("opening", "rebuilding")
PATIENCE = 20  # seconds to wait for a moment


class Publisher:
    """The single publisher of a running server."""

    def __init__(self, program: Program, server: Server, dice: random.Random, took: list[float]):
        self.program, self.client, self.dice, self.took = program, server.client(), dice, took
        self.begun = threading.Event()
        self.is_unanswered = False

    def go_on(self) -> None:
        while self.publish():
            pass

    def publish(self) -> bool:
        started = time.monotonic()
        self.begun.set()
        answer = self.program.publish(self.client, self.dice)
        self.begun.clear()
        self.is_unanswered = answer.status == 0
        if answer.status == 201:
            self.took.append(time.monotonic() - started)
            self.program.read(self.client, self.program.number)
        return answer.status == 201


class Run:
    def __init__(self, home: Home, at: Path, count: int, picks: int, seed: int):
        self.home, self.data = home, at / "data"
        self.count, self.picks, self.dice = count, picks, random.Random(seed)
        ticks, lock = counting(1), threading.Lock()

        def now() -> int:
            with lock:
                return next(ticks)

        self.now = now
        self.program = Program(now, SESSIONS)
        self.program.begin()
        self.shares: list[list[Agenda]] = [[] for _ in range(PICKERS)]
        self.acknowledged = [0] * PICKERS
        self.kills: Counter = Counter()
        self.changes = [0] * PICKERS
        self.starts, self.failed_starts, self.judged = [], 0, 0
        self.publishing: list[float] = [0.05]
        self.server: Server | None = None
        self.deck: list[str] = []
        self.faults: list[str] = []

    @property
    def done(self) -> int:
        return self.kills.total()

    def run(self) -> "Run":
        while self.done < self.count and not self.failed_starts:
            if not self.deck:
                self.deck = self.dice.sample(DECK, len(DECK))
            kind = "writing" if self.done == self.count - 1 else self.deck.pop()
            if kind in IN_A_START:
                self._kill_a_start(kind)
            elif self.server or self._start():
                self._kill_at_work(kind)
        if not self.failed_starts and self._start():
            self.server.kill()
            self.server = None
        return self

    def _start(self) -> bool:
        """Starts the server and judges everything. Changes without an acknowledgement that are there count from now on."""
        started = time.monotonic()
        try:
            self.server = Server(self.home, self.data).start()
        except Refused as refused:
            self.failed_starts += 1
            self.faults.append(f"after kill {self.done} it does not start: {refused}")
            return False
        self.starts.append(time.monotonic() - started)
        client = self.server.client()
        agendas = [agenda for share in self.shares for agenda in share]
        faults = judge(client, agendas, self.program, self.now())
        for agenda in agendas:
            faults += filter(None, [agenda.settle(client)]) if len(agenda.promises.states) > 1 else []
        faults += filter(None, [self.program.settle(client)])
        self.shares = [[agenda for agenda in share if agenda.shown is not GONE] for share in self.shares]
        self.judged += 1
        self.faults += [f"after kill {self.done}: {fault}" for fault in faults[:5]]
        return True

    def _kill_a_start(self, kind: str) -> None:
        if self.server:
            self._end_somehow()
        if self.done >= self.count:
            return
        if kind == "rebuilding" and self.data.exists():
            damage(self.data, self.dice)
        server = Server(self.home, self.data).launch()
        started, new_index = time.monotonic(), self.data / "index.new"
        usual = statistics.median(self.starts[-9:] or [0.1])
        if kind == "rebuilding":
            self._await(lambda: new_index.exists() or server.listening.is_set() or server.process.poll() is not None)
            time.sleep(self.dice.uniform(0, usual) * self.dice.choice([0.1, 0.5]))
        else:
            self._await(lambda until=self.dice.uniform(0, usual): time.monotonic() - started > until)
        is_up = server.listening.is_set()
        if (code := server.kill()) != -9:
            self.failed_starts += 1
            self.faults.append(f"after kill {self.done} it ended by itself, with {code}: {server.said[-600:]}")
            return
        began, ended = "building the index from" in server.said, "the index was rebuilt" in server.said
        is_met = not is_up and (kind == "opening" or began and not ended)
        self._count(kind, is_met, otherwise="opening" if not is_up else "writing")
        self._hear(server)

    def _end_somehow(self) -> None:
        if self.dice.random() < 0.5:
            self._kill_at_work("writing")
            return
        code = self.server.stop()
        self._hear(self.server)
        self.server = None
        if code:
            self.faults.append(f"after kill {self.done} a stop ended with {code}")

    def _kill_at_work(self, kind: str) -> None:
        server, ends = self.server, threading.Event()
        publisher = Publisher(self.program, server, random.Random(self.dice.random()), self.publishing)
        publishes = kind == "publishing" or self.dice.random() < 0.3
        work = [threading.Thread(target=self._pick, args=(n, server, random.Random(self.dice.random()), ends))
                for n in range(PICKERS)]  # fmt: skip
        for thread in work:
            thread.start()
        if publishes and kind != "publishing":
            work.append(threading.Thread(target=lambda: publisher.publish() and publisher.publish()))
            work[-1].start()
        goal = self.picks * (self.done + 1) / self.count
        self._await(lambda: sum(self.acknowledged) >= goal, 600)
        if kind == "publishing":
            work.append(threading.Thread(target=publisher.go_on))
            work[-1].start()
            publisher.begun.wait(PATIENCE)
            time.sleep(self.dice.uniform(0, 2 * statistics.median(self.publishing[-9:])))
        elif kind == "checkpointing":
            unfinished = self.data / "checkpoints" / "unfinished"
            self._await(unfinished.exists, pause=0)
            time.sleep(self.dice.choice([0, 0, 0.0005, 0.001, 0.002]))
        else:
            time.sleep(self.dice.uniform(0, 0.15))
        server.kill()
        ends.set()
        for thread in work:
            thread.join()
        checkpoints = [path.name for path in (self.data / "checkpoints").iterdir()]
        is_met = {
            "writing": True,
            "publishing": publisher.is_unanswered,
            "checkpointing": "unfinished" in checkpoints or len(checkpoints) > 2,
        }[kind]
        self._count(kind, is_met, otherwise="writing")
        self._hear(server)
        self.server = None

    def _pick(self, n: int, server: Server, dice: random.Random, ends: threading.Event) -> None:
        client, share = server.client(f"127.0.5.{n + 1}"), self.shares[n]
        while not ends.is_set():
            if len(share) < AGENDAS // PICKERS and (len(share) < 3 or dice.random() < 0.1):
                agenda, before = Agenda(self.now, SESSIONS, MAX_PICKS), frozenset()
                answer = agenda.create(client, dice)
                if answer.status == 201:
                    share.append(agenda)
            else:
                agenda = dice.choice(share)
                before = agenda.shown.picks
                answer = agenda.change(client, dice, "replace" if dice.random() < 0.7 else None)
            if 200 <= answer.status < 300:
                self.acknowledged[n] += len(agenda.shown.picks - before)
                self.changes[n] += 1
                continue
            if answer.status:
                self.faults.append(f"after kill {self.done} a change is answered with {answer.status} {answer.body[:200]}")
            return

    def _await(self, holds, patience: float = PATIENCE, pause: float = 0.001) -> None:
        deadline = time.monotonic() + patience
        while not holds() and time.monotonic() < deadline:
            time.sleep(pause)

    def _count(self, kind: str, is_met: bool, otherwise: str) -> None:
        self.kills[kind if is_met else otherwise] += 1
        if not is_met:
            self.deck.append(kind)

    def _hear(self, server: Server) -> None:
        ours = [place for place in server.panics() if place.startswith("src/")]
        self.faults += [f"before kill {self.done} it panicked at {place}" for place in ours]


def damage(data: Path, dice: random.Random) -> None:
    """Removes the index, truncates it or changes some bytes."""
    index = data / "index"
    how, file = dice.choice(["removed", "cut", "flipped"]), index / "db"
    if how == "removed" or not file.exists() or not file.stat().st_size:
        remove(index)
        return
    size = file.stat().st_size
    with open(file, "r+b") as db:
        if how == "cut":
            db.truncate(dice.randrange(size))
            return
        for _ in range(64):
            db.seek(at := dice.randrange(size))
            was = db.read(1)[0]
            db.seek(at)
            db.write(bytes([was ^ dice.randrange(1, 256)]))


def run(home: Home, count: int, picks: int, seed: int, say=print) -> list[str]:
    at = home.at / "kills"
    run = Run(Home(at, SESSIONS), at, count, picks, seed).run()
    kinds = ", ".join(f"{run.kills[kind]} {kind}" for kind in dict.fromkeys(DECK))
    agendas = sum(map(len, run.shares))
    say(f"{run.done} kills ({kinds}), {sum(run.acknowledged)} acknowledged picks in {sum(run.changes)} changes, "
        f"{agendas} agendas, release {run.program.number}; {run.judged} starts judged, "
        f"{run.failed_starts} failed starts, {len(run.faults)} wrong, seed {seed}")  # fmt: skip
    remove(at)
    return run.faults


def must_find(home: Home, seed: int, say=print) -> list[str]:
    """The judge can fail: it detects a store that was replaced by an earlier state."""
    at = home.at / "put-back"
    run = Run(Home(at, SESSIONS), at, 2, 600, seed)
    run.count = 1
    run.run()
    shutil.copytree(run.data, at / "earlier", ignore=shutil.ignore_patterns("*.sock"))  # of a killed server
    run.count = 2
    if run._start():
        run._kill_at_work("writing")
    remove(run.data)
    shutil.copytree(at / "earlier", run.data)
    sound = len(run.faults)
    if run._start():
        run.server.kill()
    remove(at)
    say(f"{len(run.faults) - sound} faults named of a store that was put back")
    if sound:
        return run.faults[:sound]
    return [] if run.faults else ["a store that was put back to an earlier state is judged to be whole"]
