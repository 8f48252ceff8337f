"""Hostile connections of five kinds, while a good client is served."""

import asyncio
import multiprocessing
import random
import socket
import time

from .good import Good, percentile
from .machine import Server

GET = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n"
POST = b"POST /api/v1/agendas HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n"
FEED = b"GET /program.ics?alarm=10m HTTP/1.1\r\nHost: x\r\n\r\n"

# For each kind: the bytes that it sends at once, the bytes that it sends one a second, and whether it reads answers.
KINDS = {
    "silent": (b"", b"", True),
    "dripped head": (GET, b"X-Drip: " + b"a" * 10_000, True),
    "idle": (GET + b"\r\n", b"", True),
    "dripped body": (POST + b"{", b" " * 50_000, True),
    "slow reader": (FEED * 2, b"", False),
}


async def _one(port: int, kind: str, until: float, counts: dict[str, int]) -> None:
    first, drops, takes = KINDS[kind]
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    if not takes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        sock.bind((f"127.0.0.{random.randrange(2, 200)}", 0))
        await loop.sock_connect(sock, ("127.0.0.1", port))
        counts["open"] += 1
        await loop.sock_sendall(sock, first)
        place = 0
        while (left := until - time.monotonic()) > 0:
            if drops and place < len(drops):
                await loop.sock_sendall(sock, drops[place:place + 1])
                place += 1
            # A slow reader reads one byte a second; the others read everything.
            wait = min(1.0, left)
            try:
                if takes:
                    piece = await asyncio.wait_for(loop.sock_recv(sock, 65536), wait)
                else:
                    await asyncio.sleep(wait)
                    piece = await asyncio.wait_for(loop.sock_recv(sock, 1), 0.01)
                if not piece:
                    counts["closed"] += 1
                    return
            except asyncio.TimeoutError:
                pass
    except OSError:
        counts["closed"] += 1
    finally:
        sock.close()


def _attack(port: int, kind: str, each: int, seconds: float, pause: float, results) -> None:
    async def attack() -> dict[str, int]:
        counts = {"open": 0, "closed": 0}
        until = time.monotonic() + seconds
        tasks = []
        for n in range(each):
            tasks.append(asyncio.ensure_future(_one(port, kind, until, counts)))
            # Opens connections fast, but not all at once, which the generator could not handle.
            if n % 20 == 19:
                await asyncio.sleep(pause)
        await asyncio.gather(*tasks)
        return counts

    results.put(asyncio.run(attack()))


def run(asked, is_short: bool, verdict) -> None:
    each = asked.each or (600 if is_short else 10_000)
    seconds = asked.seconds or (3 if is_short else 20)
    with Server() as server:
        if is_short:
            # A low limit, so that the few connections of the short form reach it.
            server.config = server.config.replace("connections = 4096", "connections = 256")
        server.start()
        good = Good(server.port)
        time.sleep(seconds / 2)
        latencies, failures = good.end()
        quiet = percentile(latencies, 0.99)
        verdict.holds(f"quiet: {len(latencies)} requests, {len(failures)} failed", not failures)
        print(f"         p99 {quiet * 1000:.2f} ms; resident {server.memory()[0]} MiB", flush=True)
        for kind in KINDS:
            results = multiprocessing.Queue()
            good = Good(server.port)
            pause = 0.06 if is_short else 0.001
            attack = multiprocessing.Process(target=_attack, args=(server.port, kind, each, seconds, pause, results))
            attack.start()
            counts = results.get(timeout=seconds + 300)
            attack.join()
            latencies, failures = good.end()
            p99 = percentile(latencies, 0.99)
            now, most = server.memory()
            verdict.holds(
                f"{each} × {kind}: good client {len(latencies)} requests, {len(failures)} failed {failures[:3] or ''}",
                not failures and len(latencies) > 20,
            )
            print(f"         {counts['open']} opened, {counts['closed']} closed by the server; resident {now} MiB, most {most} MiB", flush=True)
            verdict.figure(f"{kind}: p99 {p99 * 1000:.2f} ms, at most twice quiet + 5 ms", p99 <= 2 * quiet + 0.005)
