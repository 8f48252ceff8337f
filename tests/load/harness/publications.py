"""Publications under load: every answer comes from a single release."""

import hashlib
import re
import time
import urllib.request

from .machine import Server
from .steady import Readers

SECRET = "an-organizers-secret-of-the-test"
PATHS = ["/program.ics", "/tracks/track-1.ics", "/program.ics?kind=talk", "/program.ics?track=track-2&alarm=5m"]


def _stamped(csv: str, n: int) -> bytes:
    """A program in which every title contains the number of the release."""
    return re.sub(r"@@", f"R{n} ", csv).encode()


def _marked() -> str:
    header = "id,date,start,end,kind,title,track,room\n"
    row = "s-{n},2025-03-25,{hour:02}:{minute:02},{hour:02}:{end:02},talk,@@Talk {n},Track {track},Room {track}\n"
    return header + "".join(
        row.format(n=n, hour=8 + n // 4, minute=n % 4 * 15, end=n % 4 * 15 + 14, track=1 + n % 2) for n in range(48)
    )


def _publish(port: int, csv: bytes) -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/organizer/program", data=csv, method="PUT",
        headers={"Authorization": f"Bearer {SECRET}", "Content-Type": "text/csv"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.status


def run(asked, is_short: bool, verdict) -> None:
    count = asked.count or (10 if is_short else 1_000)
    with Server() as server:
        csv = _marked()
        server.program.write_bytes(_stamped(csv, 0))
        secret = server.dir / "organizer-secrets"
        secret.write_text(f"ops sha256:{hashlib.sha256(SECRET.encode()).hexdigest()}\n")
        server.config = server.config.replace("guard_share = 0.25", "guard_share = 1.0")
        server.start("--organizer-secret-file", str(secret))
        readers = Readers(server.port, PATHS, expect_stamp=True)
        started = time.monotonic()
        statuses = [_publish(server.port, _stamped(csv, n)) for n in range(1, count + 1)]
        took = time.monotonic() - started
        print(f"         {count} publications, {took / count * 1000:.0f} ms each", flush=True)
        verdict.holds("each was published", set(statuses) == {201})
        readers.end(verdict)
        verdict.holds("the last one runs", f"SUMMARY:R{count} ".encode() in server.get("/program.ics"))
