"""A large program in little memory: publishes it, publishes a change and renders it again, under a memory limit.

The limit is that of a control group, as with systemd's MemoryMax. If no control group can be made, which needs root, the
peak that the kernel measured is compared with the limit.
"""

import importlib.util
import os
import socket
import time
from pathlib import Path

from .machine import ROOT, Server

MIB = 2**20
# The limit of resident memory, in MiB. A control group also counts cached files, but drops those first.
LIMIT = 1200
# 163 to 178 MiB were measured for a republication of 5,000 sessions on a quiet machine, 193 on a busy one (2026-11-30).
SHORT = 210


def large(sessions: int):
    """The large program of the benchmark. Loaded by path, because both packages are called `harness`."""
    spec = importlib.util.spec_from_file_location("programs", ROOT / "tests" / "bench" / "harness" / "programs.py")
    programs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(programs)
    return programs.Program(ROOT / "program.csv", sessions)


class Group:
    """A control group (version 1 or 2) with a memory limit. `at` is None if it cannot be made."""

    def __init__(self, mib: int):
        self.at = None
        for base, limit in [("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")]:
            at = Path(base) / f"callboard-memory-{os.getpid()}"
            try:
                at.mkdir()
                (at / limit).write_text(str(mib * MIB))
            except OSError:
                if at.is_dir():
                    at.rmdir()
                continue
            self.at = at
            return

    def close(self) -> None:
        if self.at:
            self.at.rmdir()


class Limited(Server):
    """A server in a control group. It keeps its port, because the links in all feeds contain the port."""

    def __init__(self, group: Group):
        super().__init__()
        self.group = group
        self.move()

    def move(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.listen = probe.getsockname()[1]

    def command(self, port: int) -> list[str]:
        command = super().command(self.listen)
        if not self.group.at:
            return command
        return ["/bin/sh", "-c", f'echo $$ > {self.group.at}/cgroup.procs; exec "$@"', "sh", *command]


def run(asked, is_short: bool, verdict) -> None:
    sessions, limit = (5_000, SHORT) if is_short else (asked.count or 50_000, LIMIT)
    program, group = large(sessions), Group(limit)
    print(f"         {'a control group' if group.at else 'no control group: only peaks are looked at'}, {limit} MiB", flush=True)
    try:
        with Limited(group) as server:
            program.write(server.program)
            program.config(server.dir / "large.toml")
            server.config = (server.dir / "large.toml").read_text()

            def is_served() -> bool:
                try:
                    return bool(server.get("/program.ics"))
                except OSError:
                    return False

            def peak(what: str) -> None:
                verdict.holds(f"{what} is served", is_served())
                server.settle()
                now, most = server.memory()
                print(f"         {what}: {most} MiB at the most, {now} MiB settled", flush=True)
                verdict.holds(f"{what} takes at most {limit} MiB", most <= limit)

            server.start()
            peak("a first publication")
            before = server.get("/program.ics")
            Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")
            program.write(server.program, 1)
            until = time.monotonic() + 120
            while server.get("/program.ics") == before and time.monotonic() < until:
                time.sleep(0.2)
            verdict.holds("a saved program is published", server.get("/program.ics") != before)
            peak("a republication")
            verdict.holds("it stops", server.stop() == 0)
            server.start()
            peak("a start")
            verdict.holds("it stops", server.stop() == 0)
            server.move()
            server.start()
            verdict.holds("all feeds are others", f"//127.0.0.1:{server.listen}/".encode() in server.get("/program.ics"))
            peak("a start that renders everything anew")
            verdict.holds("it stops", server.stop() == 0)
    finally:
        group.close()
