"""An organizer with a program file, and the checks of every feed after each step."""

import csv
import hashlib
import io
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Callable

import requests

from feeds import ROOT, events
from server import BINARY, Server

SECRET = "an-organizer-secret"


def secret_line(secret: str, label: str = "ops") -> str:
    """A line of the server's secrets file, which contains only digests."""
    return f"{label} sha256:{hashlib.sha256(secret.encode()).hexdigest()}\n"


FEEDS = [
    "/program.ics", "/tracks/plenary.ics", "/tracks/track-1.ics", "/tracks/track-2.ics", "/tracks/discussion-track.ics",
    "/days/2025-03-24.ics", "/days/2025-03-25.ics", "/days/2025-03-26.ics", "/days/2025-03-27.ics",
    "/program.ics?track=track-1&kind=talk", "/program.ics?cancelled=title",
]  # fmt: skip


class Organizer(Server):
    def __init__(self, home: Path, more_config: str = ""):
        program, config, secret = home / "program.csv", home / "callboard.toml", home / "secret"
        shutil.copy(ROOT / "program.csv", program)
        config.write_text((ROOT / "config" / "callboard.toml").read_text() + more_config)
        secrets = home / "organizer-secrets"
        secrets.write_text(secret_line(SECRET))
        secret.write_text(f"{SECRET}\n")
        super().__init__(home / "data", program, config, "--organizer-secret-file", str(secrets))
        self.secrets_file, self.secret = secrets, secret  # the server's file, and the command line's secret
        self.seen: dict[str, dict[str, tuple[int, bytes]]] = {}
        self.tags: dict[str, str] = {}

    def ask(self, method: str, path: str, body: bytes = b"") -> requests.Response:
        headers = {"Authorization": f"Bearer {SECRET}", "Content-Type": "text/csv"}
        return requests.request(method, self.origin + path, data=body, headers=headers, timeout=30)

    def upload(self, text: bytes) -> dict:
        answer = self.ask("PUT", "/organizer/program", text)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def save(self, text: bytes, done: Callable[[dict], bool], whole: bool = True) -> dict:
        """Saves the file, by a rename or in place, and waits until the server has read it."""
        if whole:
            part = self.program.with_name(".program.csv.part")
            part.write_bytes(text)
            part.rename(self.program)
        else:
            with open(self.program, "r+b") as file:
                file.write(text)
                file.truncate()
        for _ in range(200):
            status = self.status()
            if done(status):
                return status
            time.sleep(0.05)
        raise AssertionError(f"the saved file came to nothing: {status}")

    def status(self) -> dict:
        answer = self.ask("GET", "/organizer/status")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def command(self, *arguments: str, exit_code: int = 0) -> str:
        done = subprocess.run(
            [str(BINARY), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
            env={**os.environ, "CALLBOARD_ORGANIZER_SECRET_FILE": str(self.secret)},
        )  # fmt: skip
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def rows(self) -> list[dict[str, str]]:
        return rows_of(self.ask("GET", "/organizer/program").content)

    def look(self, changed: set[str]) -> None:
        """Checks that exactly the sessions in `changed` changed, and all others kept their bytes."""
        for path in FEEDS:
            answer = self.get(path)
            assert answer.status_code == 200, path
            now = sessions(answer.content)
            before = self.seen.get(path)
            if before is not None:
                for uid, (sequence, body) in now.items():
                    if uid in before:
                        assert sequence >= before[uid][0], f"{uid} fell in {path}"
                        is_same = body == before[uid][1]
                        assert is_same or uid.split("@")[0] in changed, f"{uid} changed unasked in {path}"
                if now == before:
                    assert answer.headers["ETag"] == self.tags[path], f"{path} is the same under another ETag"
            self.seen[path], self.tags[path] = now, answer.headers["ETag"]


def sessions(content: bytes) -> dict[str, tuple[int, bytes]]:
    """The sequence, read by a foreign parser, and the bytes of each UID."""
    sequences = {str(event["UID"]): int(event["SEQUENCE"]) for event in events(content)}
    bodies = re.findall(rb"BEGIN:VEVENT\r\n.*?END:VEVENT\r\n", content, re.DOTALL)
    found = {}
    for body in bodies:
        uid = re.search(rb"\r\nUID:([^\r]*(?:\r\n [^\r]*)*)", body)[1].replace(b"\r\n ", b"").decode()
        found[uid] = (sequences[uid], body)
    assert len(found) == len(sequences) == len(bodies)
    return found


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8"), newline="")))


def written(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8")


def edited(rows: list[dict[str, str]], **edits: dict[str, str]) -> list[dict[str, str]]:
    """The rows with some cells replaced, by id; underscores stand for hyphens."""
    by_id = {name.replace("_", "-"): cells for name, cells in edits.items()}
    assert by_id.keys() <= {row["id"] for row in rows}
    return [{**row, **by_id.get(row["id"], {})} for row in rows]
