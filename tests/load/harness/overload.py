"""Overload: five times more requests than the server can answer, for a page that is rendered on each request."""

import asyncio
import time

from .good import Connection, percentile
from .machine import Server

# HEAD costs the server as much as GET, and the generator does not become the bottleneck.
ASK = b"HEAD /?kind=talk&day=2025-03-25 HTTP/1.1\r\nHost: conf.example\r\n\r\n"
# Sizes of the program. The first size at which a page takes some milliseconds is used.
SESSIONS = (100, 1_000, 4_000)
DEAR = 0.004


def _program(rows: int) -> str:
    header = "id,date,start,end,kind,title,room,speakers\n"
    row = "s-{n},2025-03-2{day},{hour:02}:00,{hour:02}:40,talk,Session {n},Room {room},Speaker {n}\n"
    return header + "".join(
        row.format(n=n, day=4 + n % 4, hour=8 + n // 4 % 12, room=n // 48) for n in range(rows)
    )


class _Client(asyncio.Protocol):
    """One connection with one request at a time."""

    def __init__(self, crowd: "_Crowd"):
        self.crowd, self.answer, self.sent = crowd, b"", None

    def connection_made(self, transport):
        self.transport = transport

    def ask(self):
        self.sent, self.answer = time.monotonic(), b""
        self.transport.write(ASK)

    def data_received(self, data):
        self.answer += data
        if self.answer.endswith(b"\r\n\r\n") and self.sent is not None:
            took, self.sent = time.monotonic() - self.sent, None
            self.crowd.answered(self, int(self.answer[9:12]), took, b"retry-after:" in self.answer.lower())

    def connection_lost(self, _):
        if self.sent is not None:
            self.crowd.lost += 1
        self.crowd.free = [client for client in self.crowd.free if client is not self]
        self.crowd.size -= 1


class _Crowd:
    def __init__(self, port: int, most: int):
        self.port, self.most = port, most
        self.free, self.size, self.lost, self.unsent, self.odd = [], 0, 0, 0, 0
        self.accepted, self.refused = [], []
        self.again = False

    def answered(self, client, status: int, took: float, has_retry: bool) -> None:
        if status == 200:
            self.accepted.append(took)
        elif status == 503 and has_retry:
            self.refused.append(took)
        else:
            self.odd += 1
        if self.again:
            client.ask()
        else:
            self.free.append(client)

    async def grow(self, by: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(by):
            _, client = await loop.create_connection(lambda: _Client(self), "127.0.0.1", self.port)
            self.size += 1
            self.free.append(client)

    async def closed_loop(self, seconds: float) -> float:
        """The rate of answers when every client sends its next request at once."""
        self.again, started = True, time.monotonic()
        for client in self.free:
            client.ask()
        self.free = []
        await asyncio.sleep(seconds)
        self.again = False
        took = time.monotonic() - started
        answered = len(self.accepted)
        await asyncio.sleep(1)
        return answered / took

    async def open_loop(self, rate: float, seconds: float) -> float:
        """Sends requests at a rate, regardless of the answers. Returns the rate that was reached."""
        started = time.monotonic()
        sent = 0
        while (now := time.monotonic() - started) < seconds:
            for _ in range(int(rate * now) - sent):
                sent += 1
                if self.free:
                    self.free.pop().ask()
                else:
                    self.unsent += 1
            await asyncio.sleep(0.002)
        took = time.monotonic() - started
        await asyncio.sleep(2)
        return (sent - self.unsent) / took


async def _feeds(port: int, taken: list[float], refused: list[float]) -> None:
    """Requests a feed that is ready in memory, until cancelled, and records the latencies."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        started = time.monotonic()
        writer.write(b"HEAD /program.ics HTTP/1.1\r\nHost: conf.example\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        (taken if head.startswith(b"HTTP/1.1 200 ") else refused).append(time.monotonic() - started)
        await asyncio.sleep(0.02)


async def _load(port: int, seconds: float) -> tuple[float, float, _Crowd, list[float], list[float]]:
    few = _Crowd(port, 8)
    await few.grow(8)
    capacity = await few.closed_loop(min(5.0, seconds))
    many = _Crowd(port, 2_000)
    await many.grow(2_000)
    feeds, refused = [], []
    subscriber = asyncio.create_task(_feeds(port, feeds, refused))
    reached = await many.open_loop(capacity * 5, seconds)
    subscriber.cancel()
    if subscriber.done():
        subscriber.result()
    return capacity, reached, many, feeds, refused


def _alone(port: int, seconds: float) -> list[float]:
    connection, latencies = Connection(port), []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        started = time.monotonic()
        # A refused client sends the request again. The retries are part of the latency.
        while (status := connection.ask("/?kind=talk&day=2025-03-25")[0]) == 503:
            connection = Connection(port)
        assert status == 200, status
        latencies.append(time.monotonic() - started)
    return latencies


def _dear() -> int:
    for sessions in SESSIONS:
        with Server() as server:
            server.program.write_text(_program(sessions))
            server.start()
            server.settle()
            if percentile(_alone(server.port, 1), 0.1) > DEAR:
                break
    return sessions


def run(asked, is_short: bool, verdict) -> None:
    seconds = asked.seconds or (4 if is_short else 60)
    sessions = _dear()
    with Server() as server:
        server.program.write_text(_program(sessions))
        server.start()
        server.settle()
        quiet = percentile(_alone(server.port, 2), 0.99)
        capacity, reached, crowd, feeds, feeds_refused = asyncio.run(_load(server.port, seconds))
        after = percentile(_alone(server.port, 2), 0.99)
        accepted, refused = crowd.accepted, crowd.refused
        print(f"         {sessions} sessions, capacity {capacity:.0f}/s, then {reached:.0f}/s for {seconds:.0f} s on {crowd.size} connections", flush=True)
        print(f"         {len(accepted)} accepted, {len(refused)} refused, {crowd.unsent} not sent for want of a free connection", flush=True)
        verdict.holds(f"{crowd.lost} connections lost, {crowd.odd} answers neither 200 nor 503 with Retry-After", crowd.lost + crowd.odd == 0)
        verdict.holds("some are accepted", len(accepted) > 0)
        verdict.holds(f"{len(feeds)} feeds from memory meanwhile", len(feeds) > 0)
        # On a machine with other load, the server may be late without overload of its own.
        verdict.figure(f"{len(feeds_refused)} of them refused", not feeds_refused)
        print(f"         their p99 {percentile(feeds, 0.99) * 1000:.0f} ms", flush=True)
        verdict.figure("the load was at least four times the capacity", reached >= 4 * capacity)
        verdict.figure(f"accepted: p99 {percentile(accepted, 0.99) * 1000:.0f} ms, under 250", percentile(accepted, 0.99) < 0.25)
        verdict.figure(f"refused: p99 {percentile(refused, 0.99) * 1000:.0f} ms, under 250", percentile(refused, 0.99) < 0.25)
        verdict.figure(f"alone, 2 s after: p99 {after * 1000:.1f} ms, quiet {quiet * 1000:.1f} ms", after <= 2 * quiet + 0.005)
        verdict.holds("it answers after", len(server.get("/program.ics")) > 0)
