"""Crash states: records a session, cuts it at a random point, and starts the server on a state that a disk could have."""

import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from record import MODELS, Replay, lay
from server import Board, Home, Refused, Server, remove
from truth import Agenda, Program, judge

STATES_A_SESSION = 300


class Recording:
    """Three runs of a server with several clients, and everything that it acknowledged."""

    def __init__(self, home: Home, at: Path, seed: int, agendas: int = 6, changes: int = 14, **shim: str):
        self.home, self.root, self.log = home, at / "root", at / "log"
        self.root.mkdir(parents=True)
        self.log.touch()
        self.now = lambda: os.stat(self.log).st_size
        self.board = Board(at / "board")
        self.shim = dict(shim, root=self.root, log=self.log, board=self.board.path)
        self.agendas, self.program = [], Program(self.now)
        self.per_round, self.changes = agendas // 3, changes
        self.faults: list[str] = []
        self.dice = random.Random(seed)

    def run(self) -> None:
        self.program.begin()
        for number in range(3):
            server = Server(self.home, self.root / "data", **self.shim).start()
            fault = self.program.read(server.client(), self.program.number or 1)
            self.faults += [fault] * bool(fault)
            new = [Agenda(self.now) for _ in range(self.per_round)]
            work = [threading.Thread(target=self._publish, args=(server, self.dice.randrange(2**32)))]
            for agenda in self.agendas + new:
                work.append(threading.Thread(target=self._pick, args=(server, agenda, self.dice.randrange(2**32))))
            for thread in work:
                thread.start()
            for thread in work:
                thread.join()
            self.agendas += new
            server.kill() if number % 2 else server.stop()
        replay = Replay(self.log, self.root)
        replay.advance(len(replay.log))
        files = {name: content for name, content in replay.whole().items() if content is not None}
        for path in self.root.rglob("*"):
            if path.is_file() and files.pop(str(path.relative_to(self.root)), None) != path.read_bytes():
                self.faults.append(f"harness: {path.name} was written by a call that the shim did not see")
        self.faults += [f"harness: {name} is missing, though recorded" for name in files]

    def _pick(self, server: Server, agenda: Agenda, seed: int) -> None:
        client, dice = server.client(f"127.0.1.{1 + seed % 250}"), random.Random(seed)
        if not agenda.key:
            self._expect(agenda.create(client, dice).status == 201, "an agenda cannot be made")
        for _ in range(self.changes):
            answer = agenda.change(client, dice)
            self._expect(200 <= answer.status < 300, f"a change is answered with {answer.status} {answer.body[:200]}")

    def _publish(self, server: Server, seed: int) -> None:
        client, dice = server.client(), random.Random(seed)
        for _ in range(2):
            answer = self.program.publish(client, dice)
            if self._expect(answer.status == 201, f"a release is answered with {answer.status} {answer.body[:200]}"):
                fault = self.program.read(client, self.program.number)
                self.faults += [fault] * bool(fault)

    def _expect(self, holds: bool, otherwise: str) -> bool:
        if not holds:
            self.faults.append(f"session: {otherwise}")
        return holds


def start_and_judge(recording: Recording, data: Path, at: float, dice: random.Random) -> list[str]:
    server = Server(recording.home, data)
    try:
        server.start()
    except Refused as refused:
        return [f"it does not start: {refused}"]
    try:
        client = server.client()
        faults = judge(client, recording.agendas, recording.program, at)
        if not faults:
            probe = Agenda(lambda: 0)
            if probe.create(client, dice).status != 201 or probe.change(client, dice).status not in (200, 201, 204):
                faults.append("no agenda can be made on it")
            server.kill()
            if not faults and dice.random() < 0.1:
                server.start()
                again = judge(server.client(), recording.agendas, recording.program, at)
                status, found = probe.look(server.client())
                if found not in probe.promises.possible(1):
                    again.append(f"an agenda made on it is answered with {status} after another start")
                faults += [f"at the second start: {fault}" for fault in again]
        ours = [place for place in server.panics() if place.startswith("src/")]
        return faults + [f"panicked at {place}" for place in ours]
    finally:
        server.kill()


def cut_again(recording: Recording, data: Path, work: Path, dice: random.Random) -> Path:
    """A second cut, while the server starts on the state of the first. The files of that state count as synced."""
    root, log, board = work / "again", work / "again.log", Board(work / "again.board")
    log.unlink(missing_ok=True)
    log.touch()
    remove(root)
    root.mkdir()
    files = {}
    for path in data.rglob("*") if data.exists() else []:
        files[str(path.relative_to(data.parent))] = path.read_bytes() if path.is_file() else None
    if data.exists():
        files["data"] = None
    lay(files, root)
    server = Server(recording.home, root / "data", root=root, log=log, board=board.path)
    try:
        server.start()
    except Refused:
        pass  # the judge of the first cut reports the refusal
    server.kill()
    replay = Replay(log, root)
    replay.adopt(files)
    replay.advance(dice.choice([0, *replay.positions()]))
    remove(root)
    lay(replay.cut(dice, dice.choice(MODELS)), root)
    return root / "data"


def run(home: Home, count: int, seed: int, jobs: int, shim: dict | None = None, say=print) -> list[str]:
    """Returns the failures, each with the seed that reproduces it."""
    found, done, sessions = [], 0, -(-count // STATES_A_SESSION)
    for n in range(sessions):
        session_seed = seed + n
        at = home.at / f"session-{session_seed}"
        recording = Recording(home, at, session_seed, **(shim or {}))
        recording.run()
        found += [f"session {session_seed}: {fault}" for fault in recording.faults]
        states = min(STATES_A_SESSION, count - done)
        done += states
        dice = random.Random(session_seed)
        replay = Replay(recording.log, recording.root)
        positions = replay.positions()
        cuts = sorted((dice.choice(positions), dice.randrange(2**32)) for _ in range(states))
        slots = threading.Semaphore(2 * jobs)

        def check(work: Path, files, position: int, own_seed: int) -> str | None:
            own = random.Random(own_seed)
            try:
                lay(files, work)
                data, label = work / "data", f"session {session_seed}, cut at {position}, seed {own_seed}"
                if own.random() < 0.1:
                    data, label = cut_again(recording, data, work, own), label + ", cut again at the next start"
                faults = start_and_judge(recording, data, position, own)
                if faults and "DISKS_KEEP" in os.environ:
                    keep = Path(os.environ["DISKS_KEEP"]) / f"crash-{session_seed}-{position}-{own_seed}"
                    remove(keep)
                    lay(files, keep)
                return f"{label}: " + "; ".join(faults[:3]) if faults else None
            finally:
                remove(work)
                slots.release()

        with ThreadPoolExecutor(jobs) as pool:
            results = []
            for number, (position, own_seed) in enumerate(cuts):
                slots.acquire()
                replay.advance(position)
                files = replay.cut(random.Random(own_seed), MODELS[own_seed % len(MODELS)])
                results.append(pool.submit(check, at / f"cut-{number}", files, position, own_seed))
        bad = [result.result() for result in results if result.result()]
        found += bad
        say(f"session {session_seed}: {len(positions)} operations, {states} states, {len(bad)} bad; {done} of {count}")
        remove(at)
    return found
