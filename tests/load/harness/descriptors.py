"""A server without a free descriptor refuses clients at once, uses no CPU, and recovers when a descriptor is free."""

import os
import resource
import socket
import time

from .good import Connection
from .machine import Server


def _is_well(port: int, until: float) -> bool:
    """Whether twenty clients in a row get an answer. Tries until the deadline, because the server notices closed
    connections with a delay."""
    in_a_row = 0
    while in_a_row < 20 and time.monotonic() < until:
        connection = Connection(port)
        try:
            in_a_row = in_a_row + 1 if connection.ask("/tracks/track-1.ics")[0] == 200 else 0
        except OSError:
            in_a_row = 0
        connection.close()
    return in_a_row == 20


def run(asked, is_short: bool, verdict) -> None:
    with Server() as server:
        server.start()
        pid = server.process.pid
        server.settle()
        used = len(os.listdir(f"/proc/{pid}/fd"))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 8, used + 8))
        crowd = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(40)]
        refused, waiting = 0, 0
        for one in crowd:
            one.settimeout(0.5)
            try:
                refused += one.recv(4096).startswith(b"HTTP/1.1 503")
            except TimeoutError:
                waiting += 1
            except OSError:
                pass
        # New connections replace the connection that has been idle longest, so the number of refusals depends on timing.
        evicted = 40 - refused - waiting
        verdict.holds(f"{refused} of 40 connections were refused with 503, {evicted} lost their places to others", refused >= 20)
        # On a slow machine, a connection may lose its place to a client that is refused all the same.
        verdict.holds(f"{waiting} are neither refused nor closed, at most the 8 that have a place", waiting <= 8)
        before = server.cpu()
        time.sleep(1)
        verdict.holds(f"{server.cpu() - before:.2f} s of processor in a second without descriptors", server.cpu() - before < 0.5)
        connection = Connection(server.port)
        try:
            status = connection.ask("/tracks/track-1.ics")[0]
        except OSError:
            status = 503
        # The server closes the idlest connection for the next client. That client may still be refused, so a second try.
        time.sleep(0.2)
        status = status if status == 200 else Connection(server.port).ask("/tracks/track-1.ics")[0]
        verdict.holds("the next client has the place of the idlest", status == 200)
        for one in crowd:
            one.close()
        verdict.holds("within 5 s of their going all is well", _is_well(server.port, time.monotonic() + 5))
