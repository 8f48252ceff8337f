"""An idle server: how often its threads wake up without requests."""

import re
import time
from pathlib import Path

from .machine import Server

#: The most wake-ups a second of all threads together. Seven of them are sled's: each thread of its pool wakes once a second
#: (sled 0.34, threadpool.rs), and no setting changes that.
MAX = 10
#: What the short form allows in addition, since other work on the machine wakes threads up, too.
ALLOWANCE = 1
#: The most wake-ups a second of threads that are not sled's. Measured 2.6 on 2026-11-30: the commit thread 1, the allocator's
#: background thread about 1, check of the program file 0.2, keeper 0.2, others 0.2.
OURS = 3
#: Seconds, a multiple of the 5 s between two checks of the program file.
SECONDS = 20


def _switches(pid: int) -> dict[str, int]:
    """Voluntary context switches by thread: each is a wait that ended."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            status = (task / "status").read_text()
        except OSError:
            continue  # the thread ended
        name = re.search(r"Name:\s+(.*)", status)[1]
        found[f"{name} {task.name}"] = int(re.search(r"\nvoluntary_ctxt_switches:\s+(\d+)", status)[1])
    return found


def run(asked, is_short: bool, verdict) -> None:
    with Server() as server:
        server.start()
        server.get("/program.ics")
        server.settle()
        time.sleep(15)  # past the first sync of the index, 10 s after the start
        before = _switches(server.process.pid)
        time.sleep(SECONDS)
        after = _switches(server.process.pid)
        woken = {name: (count - before.get(name, 0)) / SECONDS for name, count in after.items()}
        pool = sum(rate for name, rate in woken.items() if name.startswith("sled-io"))
        total = sum(woken.values())
        ours = total - pool
        most, ours_most = (MAX + ALLOWANCE, OURS + ALLOWANCE) if is_short else (MAX, OURS)
        busiest = ", ".join(f"{name.split()[0]} {rate:.1f}" for name, rate in sorted(woken.items(), key=lambda one: -one[1])[:5])
        verdict.holds(f"at rest {total:.1f} wake-ups a second, at most {most} ({busiest})", total <= most)
        verdict.holds(f"{ours:.1f} of them are not of sled's pool, at most {ours_most}", ours <= ours_most)
        verdict.holds("and it still answers", server.get("/program.ics").startswith(b"BEGIN:VCALENDAR"))
