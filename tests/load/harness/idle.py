"""A server at rest: how often its threads are woken when nobody asks anything."""

import re
import time
from pathlib import Path

from .machine import Server

#: Wake-ups a second of all threads together, at most. The machine's load does not change what asks to be woken.
MOST = 10
SECONDS = 10


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
        time.sleep(3)
        before = _switches(server.process.pid)
        time.sleep(SECONDS)
        after = _switches(server.process.pid)
        woken = {name: (count - before.get(name, 0)) / SECONDS for name, count in after.items()}
        total = sum(woken.values())
        busiest = ", ".join(f"{name.split()[0]} {rate:.1f}" for name, rate in sorted(woken.items(), key=lambda one: -one[1])[:4])
        verdict.holds(f"at rest {total:.1f} wake-ups a second, at most {MOST} ({busiest})", total <= MOST)
        verdict.holds("and it still answers", server.get("/program.ics").startswith(b"BEGIN:VCALENDAR"))
