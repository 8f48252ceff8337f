"""A flood of new connections beyond the limit: each connection is answered or refused at once. None waits until other
connections are closed."""

import asyncio
import random
import time
from collections import Counter

from .machine import Server

GET = b"GET /robots.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def _open(port: int, counts: Counter, silent: list) -> None:
    """Opens a connection. One in four sends a request; the others stay open and silent."""
    began = time.monotonic()
    try:
        local = (f"127.0.0.{random.randrange(2, 200)}", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=local)
    except OSError as error:
        counts[type(error).__name__] += 1
        return
    if random.randrange(4):
        silent.append(writer)
        counts["silent"] += 1
        return
    try:
        writer.write(GET)
        # The server may close a connection that sends no request within 100 ms, and this generator was too slow.
        if time.monotonic() - began > 0.05:
            counts["late"] += 1
            return
        head = await asyncio.wait_for(reader.readline(), 20)
        counts[head.split()[1].decode() if head else "closed without an answer"] += 1
    except (OSError, asyncio.TimeoutError) as error:
        counts[type(error).__name__] += 1
    finally:
        writer.close()


async def _flood(port: int, each: int) -> tuple[Counter, float]:
    counts, silent = Counter(), []
    started = time.monotonic()
    for begin in range(0, each, 100):
        await asyncio.gather(*(_open(port, counts, silent) for _ in range(begin, min(each, begin + 100))))
    took = time.monotonic() - started
    for writer in silent:
        writer.close()
    return counts, took


def run(asked, is_short: bool, verdict) -> None:
    each = asked.each or (2_000 if is_short else 20_000)
    with Server() as server:
        server.config = server.config.replace("connections = 4096", "connections = 64")
        server.start()
        counts, took = asyncio.run(_flood(server.port, each))
        asked_for = each - counts["silent"] - counts["late"]
        told = counts["200"] + counts["503"]
        print(f"         {each} connections in {took:.1f} s: {dict(counts)}", flush=True)
        verdict.holds(f"{told} of {asked_for} requests answered or refused", told == asked_for)
        verdict.holds("some of them answered", counts["200"] > 0)
        # If places became free one after the other, every 50 ms, the rate would be 20.
        verdict.figure(f"{each / took:.0f} accepted a second, at least 400", each / took >= 400)
        assert server.get("/robots.txt")
