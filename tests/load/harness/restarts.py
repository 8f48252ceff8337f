"""Restarts with a listening socket that the test holds open, as systemd does (sd_listen_fds(3))."""

import os
import random
import socket
import subprocess
import time

from .machine import Server
from .steady import Readers, Writers

PATHS = ["/program.ics", "/tracks/track-1.ics", "/program.ics?kind=talk"]


def _start(server: Server, held: socket.socket) -> None:
    script = 'exec 3<&"$1"; shift; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
    command = ["sh", "-c", script, "sh", str(held.fileno()), *server.command(server.port)]
    with open(server.log, "ab") as log:
        server.process = subprocess.Popen(
            command, pass_fds=(held.fileno(),), stdout=log, stderr=log, env=dict(os.environ, CALLBOARD_LOG="warn")
        )


def run(asked, is_short: bool, verdict) -> None:
    count = asked.count or (3 if is_short else 100)
    with Server() as server, socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen(4096)
        server.port = held.getsockname()[1]
        _start(server, held)
        assert server.get("/program.ics")
        readers, writers = Readers(server.port, PATHS, expect_stamp=False), Writers(server.port)
        codes = []
        for _ in range(count):
            time.sleep(random.uniform(0.05, 0.4))
            codes.append(server.stop())
            _start(server, held)
        time.sleep(0.5)
        server.get("/program.ics")
        print(f"         {count} restarts", flush=True)
        verdict.holds("every stop was clean", set(codes) == {0})
        readers.end(verdict)
        writers.end(verdict)
