"""Small program files that once took gigabytes of memory: in `callboard check`, in a server that watches the file, in its
next start, and in previews."""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import hostile_files

from .machine import ROOT, Server, binary

SECRET = "an-organizers-secret-of-the-test"
LINE = f"ops sha256:{hashlib.sha256(SECRET.encode()).hexdigest()}\n"
CONFIG = ROOT / "config" / "callboard.toml"
# Limits: MiB for a check of a file of 20 MiB, MiB for a larger file, CPU seconds, MiB for four previews.
OF_20_MIB, LARGER, SECONDS, PREVIEWS = 256, 64, 3, 700
# The address space of a server. A server that reads a whole file of 3 GiB, or keeps ten million faults, needs more.
ADDRESS_SPACE = 2 << 30
# Files that are refused. Files with many valid sessions are left out, because they cost as much as a large program.
WATCHED = [
    "10 million dashes", "dashes after CRLF", "one row of commas", "one cell of doubled quotes", "ten million speakers",
    "a fault in each cell", "no UTF-8 at all", "UTF-16 of wide letters",
]  # fmt: skip


def _checks(directory: Path, names: list[str], verdict) -> None:
    for name in names:
        path = hostile_files.write(name, directory)
        found = [hostile_files.check(binary(), CONFIG, str(path), output) for output in ("human", "json")]
        peak, cpu = max(cost.peak for cost in found), max(cost.cpu for cost in found)
        printed = max(cost.printed for cost in found)
        is_done = all(cost.status in (0, 65) for cost in found)
        verdict.holds(f"{name}: checked in {peak:.0f} MiB, {printed / 1e6:.1f} MB printed",
                      is_done and peak <= OF_20_MIB and printed < 4e6)  # fmt: skip
        verdict.figure(f"{name}: {cpu:.2f} s of processor time", cpu <= SECONDS)
        path.unlink()
    sparse = hostile_files.sparse(directory)
    endless = subprocess.Popen(["yes", "-"], stdout=subprocess.PIPE)
    for name, cost in [
        ("3 GiB without content", hostile_files.check(binary(), CONFIG, str(sparse))),
        ("a device without an end", hostile_files.check(binary(), CONFIG, "/dev/zero")),
        ("a pipe without an end", hostile_files.check(binary(), CONFIG, "/dev/stdin", stdin=endless.stdout)),
    ]:
        verdict.holds(f"{name}: refused in {cost.peak:.0f} MiB", cost.status == 65 and cost.peak <= LARGER)
    endless.kill()
    endless.wait()
    sparse.unlink()


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))


def _form(body: bytes) -> tuple[bytes, str]:
    """The body and media type of the upload form of the organizer's page."""
    head = b'--frontier\r\nContent-Disposition: form-data; name="program"; filename="program.csv"\r\n\r\n'
    return head + body + b"\r\n--frontier--\r\n", "multipart/form-data; boundary=frontier"


def _ask(server: Server, path: str, body: bytes | None = None, method: str = "GET", media_type: str = "text/csv"):
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}", data=body, method=method,
        headers={"Authorization": f"Bearer {SECRET}", "Content-Type": media_type},
    )  # fmt: skip
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def _sessions(server: Server) -> list[bytes]:
    """The lines of the feed that do not depend on the server's port."""
    lines = server.get("/program.ics").split(b"\r\n")
    return [line for line in lines if line.startswith((b"UID", b"DTSTART", b"SUMMARY", b"STATUS"))]


def _last(server: Server):
    return json.loads(_ask(server, "/organizer/status")[1])["last"]


def _save(server: Server, path: Path) -> dict:
    """Renames a file over the watched file, waits until the server has read it, and returns the result."""
    before = _last(server)
    os.replace(path, server.program)
    until = time.monotonic() + 60
    while (last := _last(server)) == before:
        if time.monotonic() > until:
            return {"verdict": "nothing"}
        time.sleep(0.1)
    return last


def _start(server: Server, secret: Path) -> None:
    server.start("--organizer-secret-file", str(secret), before=_limit)


def _watched(names: list[str], verdict) -> None:
    with Server() as server:
        secret = server.dir / "organizer-secrets"
        secret.write_text(LINE)
        _start(server, secret)
        feed = _sessions(server)
        for name in names:
            path = hostile_files.sparse(server.dir) if name == "3 GiB" else hostile_files.write(name, server.dir)
            verdict.holds(f"{name}: refused by a server of {ADDRESS_SPACE >> 20} MiB", _save(server, path)["verdict"] == "refused")
            goes_on = server.process.poll() is None and _sessions(server) == feed
            verdict.holds(f"{name}: its feeds go on", goes_on)
            server.stop()
            _start(server, secret)
            verdict.holds(f"{name}: so does its next start", _sessions(server) == feed)
        shutil.copy(ROOT / "program.csv", server.program)
        time.sleep(1)
        verdict.holds("it runs to the end", server.process.poll() is None and server.stop() == 0)


def _previews(verdict) -> None:
    for name in ["10 million dashes", "dashes after CRLF", "no UTF-8 at all", "valid rows of 20 MiB"]:
        with Server() as server:
            secret = server.dir / "organizer-secrets"
            secret.write_text(LINE)
            server.start("--organizer-secret-file", str(secret))
            body = hostile_files.write(name, server.dir).read_bytes()
            media_type = "text/csv"
            if name == "dashes after CRLF":
                # Each line of this file may start a boundary of the form. The form's own lines need some of the 20 MiB.
                body, media_type = _form(body[: len(body) - 1024])
            statuses = []
            look = lambda: statuses.append(_ask(server, "/organizer/preview", body, "POST", media_type)[0])  # noqa: E731
            threads = [threading.Thread(target=look) for _ in range(4)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            _, peak = server.memory()
            # A form is redirected to its preview, which lists the errors.
            expected = {200} if name.startswith("valid") or media_type != "text/csv" else {422}
            verdict.holds(f"four previews of {name}: {sorted(statuses)}", set(statuses) <= expected | {503})
            # How much of the memory the allocator returns in time depends on the machine: 666 to 690 MiB for valid rows.
            verdict.figure(f"four previews of {name}: at most {peak} MiB resident", peak < PREVIEWS)


def run(asked, is_short: bool, verdict) -> None:
    with Server() as server:
        _checks(server.dir, list(hostile_files.FILES)[:: 4 if is_short else 1], verdict)
    _watched([*WATCHED[:: 4 if is_short else 1], "3 GiB"], verdict)
    _previews(verdict)
