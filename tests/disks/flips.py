"""Damage at rest: one byte of a stopped store is changed, or one of its files is truncated.

The store has 1,000 agendas, four releases and their ledger, all made through the server. The judge (tools/disks-judge)
opens each damaged copy as the server does, and reports a digest of its content or a refusal. The server itself also starts
on one copy in `SERVED`. A copy passes if its digest is that of the undamaged store, or if it is refused with a message that
names the damage. After a refusal the next start must be whole; if the binary has `verify --repair`, the start after a repair.
Every other result fails; a copy that opens with another digest is a silent loss. Every byte of a small file is flipped; the
other flips are spread evenly over the other files.
"""

import os
import random
import re
import select
import shutil
import subprocess
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from server import BINARY, JUDGE, ROOT, Home, Refused, Server, remove
from truth import Agenda, Program

AGENDAS = 1000
SERVED = 200
PATIENCE = 30
NAMES = re.compile(r"damage|corrupt|checksum|crc|truncat|shorter|not a valid|unreadable|repair|format|missing", re.I)


def make(home: Home, at: Path, seed: int) -> None:
    """Makes the store through the server, which then closes it."""
    dice = random.Random(seed)
    ticks = iter(range(1, 10**9))
    programme = Program(lambda: next(ticks))
    programme.begin()
    for number in range(2):
        server = Server(home, at).start()
        client = server.client()
        programme.settle(client)
        for _ in range(2 - number):
            answer = programme.publish(client, dice)
            assert answer.status == 201, answer.body
            programme.read(client, programme.number)

        def some(worker: int) -> None:
            own, mine = random.Random(dice.random()), AGENDAS // 16
            client = server.client(f"127.0.2.{number * 8 + worker + 1}")
            for _ in range(mine + (worker < AGENDAS // 2 - 8 * mine)):
                agenda = Agenda(lambda: 0)
                assert agenda.create(client, own).status == 201
                assert agenda.change(client, own).status < 300

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(some, range(8)))
        assert server.stop() == 0


class Judge:
    """The judge's process, restarted after a crash."""

    def __init__(self):
        self.process = None

    def ask(self, data: Path) -> str:
        if self.process is None:
            self.process = subprocess.Popen(
                [JUDGE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
            )
        self.process.stdin.write(f"{data}\n".encode())
        said = b""
        while not said.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
            part = self.process.stdout.read(65536) if ready else b""
            if not part:
                self.end()
                return "crashed the judge died" if ready else f"crashed no answer within {PATIENCE} s"
            said += part
        return said.decode(errors="replace").strip()

    def end(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close(), self.process.stdout.close()
            self.process = None


def plan(store: Path, count: int | None, truncations: int, dice: random.Random) -> list[tuple[str, str, int]]:
    """(file, "flip" or "cut", where). Every byte of a small file is flipped; the other files share the rest equally."""
    sizes = {str(p.relative_to(store)): p.stat().st_size for p in sorted(store.rglob("*")) if p.is_file()}
    sizes = {name: size for name, size in sizes.items() if size}
    found = []
    left, files = sum(sizes.values()) if count is None else count, len(sizes)
    for name, size in sorted(sizes.items(), key=lambda item: item[1]):
        share = min(size, left // files)
        left, files = left - share, files - 1
        # One flip in each of `share` equal parts of the file.
        found += [(name, "flip", dice.randrange(size * n // share, size * (n + 1) // share)) for n in range(share)]
    for name, size in sizes.items():
        lengths = {0, size - 1} | {dice.randrange(size) for _ in range(truncations)}
        found += [(name, "cut", length) for length in sorted(lengths)[:truncations]]
    return found


def damage(file: Path, kind: str, where: int, dice: random.Random) -> None:
    if kind == "cut":
        with open(file, "r+b") as open_file:
            open_file.truncate(where)
        return
    with open(file, "r+b") as open_file:
        open_file.seek(where)
        was = open_file.read(1)[0]
        open_file.seek(where)
        open_file.write(bytes([was ^ dice.choice([1 << dice.randrange(8), dice.randrange(1, 256)])]))


def build_judge() -> None:
    """Builds the judge, unless DISKS_JUDGE names one."""
    if "DISKS_JUDGE" not in os.environ:
        subprocess.run(["cargo", "build", "--locked", "--quiet", "--package", "disks-judge"], cwd=ROOT, check=True)


def repairs() -> bool:
    """Whether this binary has a `verify --repair`."""
    return subprocess.run([BINARY, "verify", "--help"], capture_output=True).returncode == 0


def run(home: Home, count: int | None, truncations: int, seed: int, jobs: int, say=print) -> list[str]:
    build_judge()
    store = home.at / "store"
    make(home, store, seed)
    dice = random.Random(seed)
    first = Judge()
    shutil.copytree(store, home.at / "sound")
    truth = first.ask(home.at / "sound")
    first.end()
    if not truth.startswith(f"store {AGENDAS} "):
        return [f"the store without damage is not as it was made: {truth}"]
    todo = plan(store, count, truncations, dice)
    dice.shuffle(todo)
    can_repair, local, refusals = repairs(), threading.local(), Counter()
    outcomes: Counter = Counter()
    found, judges, lock = [], [], threading.Lock()

    def one(number: int, case: tuple[str, str, int]) -> None:
        name, kind, where = case
        own = random.Random(f"{seed} {case}")
        if not hasattr(local, "judge"):
            local.judge = Judge()
            judges.append(local.judge)
        at = home.at / f"damaged-{number}"
        shutil.copytree(store, at)
        damage(at / name, kind, where, own)
        is_served = own.random() * SERVED < 1
        if is_served:
            shutil.copytree(at, home.at / f"served-{number}")
        said = local.judge.ask(at)
        outcome = weigh(said, truth)
        if outcome == "refused":
            with lock:
                refusals[re.sub(r"/\S+|[0-9]+", "…", said)[:140]] += 1
            if weigh(local.judge.ask(at), truth) == "whole":
                outcome = "whole at the next start"
            elif can_repair:
                subprocess.run([BINARY, "verify", "--data", at, "--config", home.at / "callboard.toml", "--repair"],
                               capture_output=True, timeout=PATIENCE)  # fmt: skip
                outcome = "repaired by hand" if weigh(local.judge.ask(at), truth) == "whole" else "not repaired"
        if is_served:
            served = serve(home, home.at / f"served-{number}")
            if served:
                outcome = served
            remove(home.at / f"served-{number}")
        remove(at)
        with lock:
            outcomes[kind, outcome] += 1
            if outcome not in ("whole", "whole at the next start", "refused", "repaired by hand"):
                found.append(f"{kind} of {name} at {where}: {outcome}: {said[:200]}")

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, range(len(todo)), todo))
    for judge in judges:
        judge.end()
    flips = sum(kind == "flip" for _, kind, _ in todo)
    files = sorted({name for name, _, _ in todo})
    say(f"{flips} flips and {len(todo) - flips} truncations over {len(files)} files: {', '.join(files)}")
    say("; ".join(f"{kind} {outcome}: {n}" for (kind, outcome), n in sorted(outcomes.items())))
    for text, n in refusals.most_common(8):
        say(f"  {n} times: {text}")
    remove(store), remove(home.at / "sound")
    return found


def weigh(said: str, truth: str) -> str:
    if said == truth:
        return "whole"
    if said.startswith(("refused", "unreadable")):
        return "refused" if NAMES.search(said) else "refused without naming the damage"
    return "crashed" if said.startswith("crashed") else "SILENT LOSS"


def serve(home: Home, data: Path) -> str | None:
    """The same with the server: it answers, or exits with a code and a message."""
    server = Server(home, data)
    try:
        server.start()
    except Refused as refused:
        return None if refused.code in (1, 78) and NAMES.search(refused.said) else f"server: {refused}"
    status = server.client().ask("GET", "/program.ics").status
    server.kill()
    ours = [place for place in server.panics() if place.startswith("src/")]
    return None if status == 200 and not ours else f"server: answers {status}, panics {ours}"
