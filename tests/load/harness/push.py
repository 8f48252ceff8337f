"""A change reaches 10,000 devices: the time from the saved program file to the requests at a push service, and what feeds
feel of it meanwhile."""

import asyncio
import csv
import datetime
import http.client
import io
import json
import multiprocessing
import os
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from .good import Good, percentile
from .machine import Server, binary

SESSION = "slow-queries"

#: Seconds after the saved file: the first and the last request.
FIRST, LAST = 5, 60
#: How much slower than in the quiet the slowest hundredth of feeds may be.
SLOWER = 2

#: A device's keys, those of RFC 8291, appendix A. The double decrypts nothing.
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


class _Connection(asyncio.Protocol):
    def __init__(self, calls: list, delay: float):
        self.calls, self.delay, self.rest = calls, delay, b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.rest += data
        while True:
            head, found, rest = self.rest.partition(b"\r\n\r\n")
            if not found:
                return
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(rest) < length:
                return
            self.rest = rest[length:]
            self.calls.append((head.split(b" ", 2)[1].decode(), time.monotonic()))
            asyncio.get_running_loop().call_later(self.delay, self._answer)

    def _answer(self):
        self.transport.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")


def _serve(pipe, delay: float) -> None:
    calls = []

    async def serve():
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(calls, delay), "127.0.0.1", 0, backlog=1024)
        pipe.send(server.sockets[0].getsockname()[1])
        loop.add_reader(pipe.fileno(), answer)
        await server.serve_forever()

    def answer():
        if pipe.recv() == "count":
            pipe.send(len(calls))
        else:
            pipe.send(list(calls))
            calls.clear()

    asyncio.run(serve())


class PushService:
    """A push service in a process of its own, which accepts every message."""

    def __init__(self, delay: float = 0):
        self.pipe, end = multiprocessing.Pipe()
        self.process = multiprocessing.Process(target=_serve, args=(end, delay), daemon=True)
        self.process.start()
        self.port = self.pipe.recv()

    def count(self) -> int:
        """The number of requests since they were last taken."""
        self.pipe.send("count")
        return self.pipe.recv()

    def take(self) -> list[tuple[str, float]]:
        """The path of each request, and when it was complete."""
        self.pipe.send("take")
        return self.pipe.recv()

    def end(self) -> None:
        self.process.kill()
        self.process.join()


class PushServer(Server):
    """A server whose agendas have devices at a push service on this machine."""

    def __init__(self):
        super().__init__()
        self.config += '\n[push]\ncontact = "mailto:desk@conf.example.org"\nallow_networks = ["127.0.0.1"]\n'
        for limit in ("agendas", "changes"):
            self.config = self.config.replace(f"\n{limit}_at_once = ", f"\n{limit}_at_once = 100000 # ")
        self.config = self.config.replace("guard_share = 0.25", "guard_share = 1.0")
        self.sender = None
        self.day = 0

    def __exit__(self, *reason):
        if self.sender and self.sender.poll() is None:
            self.sender.kill()
            self.sender.wait()
        super().__exit__(*reason)

    def command(self, port: int) -> list[str]:
        # A restart keeps the port, which is part of every link: another one would be another release.
        return super().command(self.port or port)

    def subscribe(self, devices: int, service: PushService) -> None:
        """Makes as many agendas, each with one device."""

        def make(numbers: range) -> None:
            client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

            def post(path: str, body: dict, key: str | None = None) -> dict:
                headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
                client.request("POST", f"/api/v1{path}", json.dumps(body), headers)
                answer = client.getresponse()
                text = answer.read()
                assert answer.status == 201, (answer.status, text)
                return json.loads(text)

            for n in numbers:
                key = post("/agendas", {"picks": [SESSION]})["edit_key"]
                endpoint = f"http://127.0.0.1:{service.port}/send/{n}"
                post("/agenda/subscriptions", {"channel": "web-push", "endpoint": endpoint, "keys": KEYS}, key)

        clients = 32
        with ThreadPoolExecutor(clients) as pool:
            list(pool.map(make, [range(first, devices, clients) for first in range(clients)]))

    def start_sender(self) -> None:
        command = [str(binary()), "deliver", "--config", str(self.dir / "callboard.toml"), "--data", str(self.dir / "data")]
        with open(self.dir / "deliver.log", "ab") as log:
            self.sender = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def move_session(self) -> float:
        """Saves the program file with the session on another day, and returns the time of it."""
        rows = list(csv.DictReader(io.StringIO(self.program.read_text())))
        self.day += 1
        # Devices get no message about a session that is over.
        date = datetime.date.today() + datetime.timedelta(days=30 + self.day)
        for row in rows:
            if row["id"] == SESSION:
                row["date"] = date.isoformat()
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0])
        writer.writeheader()
        writer.writerows(rows)
        new = self.program.with_suffix(".new")
        new.write_text(text.getvalue())
        saved = time.monotonic()
        os.replace(new, self.program)
        return saved

    def waiting(self) -> int | None:
        """The number of deliveries that wait; none if the server does not answer."""
        try:
            with socket.socket(socket.AF_UNIX) as control:
                control.settimeout(10)
                control.connect(str(self.dir / "data" / "control.sock"))
                control.sendall(b'deliver\n"count"\n')
                return json.loads(control.makefile().readline())["counted"]["waiting"]
        except (OSError, ValueError):
            return None


def run(asked, is_short: bool, verdict) -> None:
    devices = asked.count or (500 if is_short else 10_000)
    seconds = 5 if is_short else 20
    service = PushService()
    with PushServer() as server:
        server.start()
        started = time.monotonic()
        server.subscribe(devices, service)
        print(f"         {devices} devices subscribed in {time.monotonic() - started:.1f} s", flush=True)
        server.start_sender()
        server.settle()
        good = Good(server.port)
        time.sleep(seconds)
        quiet, failures = good.end()
        good = Good(server.port)
        saved = server.move_session()
        while service.count() < devices and time.monotonic() < saved + 2 * LAST:
            time.sleep(0.05)
        # A quick burst would leave too few answers for a percentile.
        busy_seconds = time.monotonic() - saved
        busy, more = good.end()
        calls = service.take()
        service.end()
        times = sorted(at - saved for _, at in calls) or [float("inf")]
        before, during = percentile(quiet, 0.99), percentile(busy, 0.99)
        print(
            f"         first request after {times[0]:.2f} s, half after {times[len(times) // 2]:.2f} s, "
            f"last after {times[-1]:.2f} s; {len(busy)} feeds in {busy_seconds:.1f} s",
            flush=True,
        )
        verdict.holds(f"{len({path for path, _ in calls})} of {devices} devices got the message", len({path for path, _ in calls}) == devices)
        verdict.holds(f"{len(calls) - devices} duplicates", len(calls) == devices)
        verdict.holds(f"{len(failures + more)} failed feeds {(failures + more)[:3] or ''}", not failures and not more)
        verdict.figure(f"the first request comes within {FIRST} s", times[0] <= FIRST)
        verdict.figure(f"the last request comes within {LAST} s", times[-1] <= LAST)
        verdict.figure(
            f"p99 of feeds {during * 1000:.1f} ms, in the quiet {before * 1000:.1f} ms, at most {SLOWER} times that",
            during <= SLOWER * before,
        )
