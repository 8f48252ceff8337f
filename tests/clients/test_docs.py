"""Runs the commands of README and docs, exactly as written, against the real server.

Each console block under `<!-- tests/docs: NAME -->` runs here, with the server's address in place of the example's. If a
block shows output, the real output must be the same; `…` stands for any text. `tests/suite/docs.rs` finds blocks that no
test runs.
"""

import datetime
import email
import email.policy
import json
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
import requests

from feeds import ROOT
from organizer import secret_line
from relay import Relay
from server import BINARY, PATIENT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SECRET = "a-secret-of-the-documentation"


def block(name: str) -> str:
    """The console block under the marker, from any page."""
    marker = re.compile(rf"<!-- tests/docs: {name} -->\n```console\n(.*?)```", re.DOTALL)
    found = [text for page in PAGES for text in marker.findall(page.read_text())]
    assert len(found) == 1, f"{len(found)} blocks are marked {name}"
    return found[0]


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a block, each with the output that the page shows."""
    parts = re.split(r"^\$ ", text, flags=re.MULTILINE)
    found = []
    for part in parts[1:]:
        lines = part.splitlines()
        last = next(n for n, line in enumerate(lines) if not line.endswith("\\"))
        found.append(("\n".join(lines[: last + 1]), "\n".join(lines[last + 1 :])))
    return found


def csv_block(page: str) -> str:
    """The program file that a page tells its reader to save."""
    return re.search(r"```csv\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)[1]


class Desk:
    """The reader's directory: config, program and secret, with a server that serves them."""

    def __init__(self, home: Path, program: str | None = None):
        self.home, self.process = home, None
        (home / "config").mkdir()
        shutil.copy(ROOT / "config" / "callboard.toml", home / "config")
        (home / "config" / "organizer-secrets").write_text(secret_line(SECRET))
        (home / "program.csv").write_text(program or (ROOT / "program.csv").read_text())
        (home / "chair.secret").write_text(f"{SECRET}\n")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.origin = f"http://{self.address}"
        self.variables = {"SECRET": SECRET}

    def here(self, text: str) -> str:
        """A text of the documentation, with the address of this server."""
        return text.replace("https://conf.example.org", self.origin).replace("127.0.0.1:8080", self.address)

    def serve(self, command: str = "callboard --listen 127.0.0.1:8080") -> None:
        """Starts a server with a command, and waits until it answers."""
        with open(self.home / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["bash", "-c", "exec " + self.here(command)], cwd=self.home, env=self.environment(), stdout=log, stderr=log
            )
        for _ in range(600):
            assert self.process.poll() is None, (self.home / "log").read_text()
            try:
                if requests.get(self.origin + "/program.ics", timeout=5).status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.05)
        raise AssertionError((self.home / "log").read_text())

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            assert self.process.wait(timeout=30) == 0, (self.home / "log").read_text()
            self.process = None

    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.variables, "PATH": f"{BINARY.resolve().parent}:{os.environ['PATH']}"}

    def run(self, name: str) -> str:
        """Runs a block, command by command, and returns what the last one printed."""
        printed = ""
        for command, expected in commands(block(name)):
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", self.here(command)],
                cwd=self.home, env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            printed = done.stdout
            if expected:
                pattern = ".*".join(re.escape(part) for part in self.here(expected).split("…"))
                assert re.fullmatch(pattern, printed.strip(), re.DOTALL), f"{command} printed\n{printed}\nnot\n{expected}"
        return printed

    def releases(self) -> int:
        return PATIENT.get(self.origin + "/api/v1/program", timeout=10).json()["release"]


@pytest.fixture
def desk(tmp_path):
    desk = Desk(tmp_path)
    yield desk
    desk.stop()


@pytest.fixture
def small(tmp_path):
    """A conference with the program of the page for organizers."""
    desk = Desk(tmp_path, csv_block("docs/guide/organizers.md"))
    yield desk
    desk.stop()


def test_quick_start(desk):
    """`cargo run --release` builds the program and starts it without arguments. This test starts the existing build."""
    assert commands(block("quick-start")) == [("cargo run --release", "")]
    desk.serve()
    before = desk.run("quick-start-changes")
    program = desk.home / "program.csv"
    program.write_text(program.read_text().replace("Safe Evaluation", "Careful Evaluation"))
    for _ in range(200):
        if desk.run("quick-start-changes") != before:
            return
        time.sleep(0.05)
    raise AssertionError("a saved program was not published")


def edit(desk: Desk, **titles: str) -> None:
    """The reader's edit of program.csv, which this server does not watch."""
    program = desk.home / "program.csv"
    text = program.read_text()
    for was, now in titles.items():
        was = was.replace("_", " ")
        assert was in text
        text = text.replace(was, now)
    program.write_text(text)


UNWATCHED = "callboard --program served.csv --listen 127.0.0.1:8080"


def test_readme_run_your_conference(tmp_path):
    desk = Desk(tmp_path, csv_block("README.md"))
    shutil.copy(desk.home / "program.csv", desk.home / "served.csv")
    desk.serve(UNWATCHED)
    try:
        edit(desk, Welcome="Good Morning")
        desk.run("readme-publish")
        assert desk.releases() == 2
    finally:
        desk.stop()


def test_guide_for_organizers(small):
    small.run("organizers-check")
    shutil.copy(small.home / "program.csv", small.home / "served.csv")
    small.serve(UNWATCHED)
    edit(small, Welcome="Good Morning")
    small.run("organizers-publish")
    assert small.releases() == 2
    edit(small, Good_Morning="Hello")
    small.run("organizers-curl")
    assert small.releases() == 3
    # A release that changes three titles is held until it is confirmed.
    edit(small, Hello="A", Finding_Slow_Queries="B", Lunch="C")
    small.run("organizers-confirm")
    assert small.releases() == 4
    shutil.copy(ROOT / "tests" / "fixtures" / "adopt" / "schedule.xml", small.home)
    small.run("organizers-import")
    assert (small.home / "program.csv").read_text().startswith("id,")
    shutil.copy(ROOT / "tests" / "fixtures" / "adopt" / "v2.json", small.home / "schedule.json")
    small.run("import-json")
    assert "Ada Example" in (small.home / "program.csv").read_text()
    small.run("import-source")
    small.run("import-onto")
    assert (small.home / "program.csv").read_bytes() == (small.home / "program.csv.source").read_bytes()
    (small.home / "talks.csv").write_text("Title,Day,Slot begin,Slot stop\nA,2026-05-01,10:00,11:00\n")
    small.run("import-sheet")
    assert "2026-05-01,10:00,11:00" in (small.home / "program.csv").read_text()


def test_a_bounce_ends_the_invitations(desk):
    relay = Relay()
    config = desk.home / "config" / "callboard.toml"
    mail = f'\n[mail]\nrelay = "smtp://127.0.0.1:{relay.port}"\nfrom = "calendar@conf.example.org"\n'
    config.write_text(config.read_text().replace("https://conf.example.org", desk.origin) + mail)
    day = (datetime.date.today() + datetime.timedelta(days=30)).isoformat()
    program = desk.home / "program.csv"
    program.write_text(re.sub(r"(?m)^(slow-queries,)[0-9-]+", rf"\g<1>{day}", program.read_text()))
    desk.serve()
    deliver = lambda: subprocess.run(
        ["callboard", "deliver", "--once"], cwd=desk.home, env=desk.environment(), check=True, timeout=60
    )
    made = requests.post(desk.origin + "/api/v1/agendas", json={"picks": ["slow-queries"]}, timeout=10).json()
    url, headers = f"{desk.origin}/api/v1/agenda/subscriptions", {"Authorization": f"Bearer {made['edit_key']}"}
    asked = {"channel": "mail", "address": "ada@example.org"}
    assert requests.post(url, json=asked, headers=headers, timeout=10).status_code == 202
    deliver()
    text = email.message_from_bytes(relay.mails[0][2], policy=email.policy.default).get_content()
    assert requests.post(re.search(r"\S+/mail/confirm/\S+", text)[0], timeout=10).ok
    time.sleep(11)  # the first invitation waits ten seconds for further picks
    deliver()
    header, _, _ = relay.mails[1][2].partition(b"\r\n\r\n")
    (desk.home / "bounce.eml").write_bytes(b"Subject: Undelivered Mail\r\n\r\nStatus: 5.1.1\r\n\r\n" + header)
    assert len(requests.get(url, headers=headers, timeout=10).json()) == 1
    desk.run("mail-bounce")
    assert requests.get(url, headers=headers, timeout=10).json() == []
    relay.close()


def test_guide_for_attendees(desk):
    desk.serve()
    made = requests.post(desk.origin + "/api/v1/agendas", json={"picks": ["slow-queries"]}, timeout=10).json()
    desk.variables["LINK"] = made["read_links"][0]["page"]
    assert "Slow Queries" in desk.run("attendees-terminal")


def test_reference_of_the_api(desk):
    desk.serve()
    desk.run("api-sessions")
    desk.run("api-changes")
    desk.variables["EDIT_KEY"] = json.loads(desk.run("api-agenda"))["edit_key"]
    desk.run("api-pick")
    desk.run("api-rank")
    assert "ml-monitoring" in desk.run("api-plan")
    (desk.home / "mine.ics").write_bytes(requests.get(desk.origin + "/tracks/plenary.ics", timeout=10).content)
    assert "ml-monitoring" in desk.run("api-import")


def test_reference_of_the_feeds(desk):
    desk.serve()
    assert desk.run("feeds-track").startswith("BEGIN:VCALENDAR")


def test_operations(desk):
    desk.serve(commands(block("install-serve"))[0][0])
    assert commands(block("install-serve"))[0][1] == ""
    desk.run("health")
    desk.run("backup-commands")
    desk.stop()
    desk.run("restore-command")
    desk.run("verify-commands")
    desk.serve()
