"""Helpers of the scenarios, which run inside the test machine."""

import json
import os
import re
import subprocess
import threading
import time
import traceback
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

DOCS = Path("/callboard-test/docs")
# The operator's working directory: a checkout with the built package.
HOME = Path("/callboard-test/home")


class Failed(Exception):
    """A check of a scenario failed."""


def check(holds: object, otherwise: str):
    if not holds:
        raise Failed(otherwise)


def run(*command: object, fails: bool = False) -> str:
    """Runs a command and returns its output. The command must succeed, or with `fails` must fail."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    words = " ".join(str(word) for word in command)
    check((done.returncode != 0) == fails, f"{words}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def readme(name: str) -> str:
    """Runs the commands of the console block under `<!-- tests/systemd: NAME -->` in the documentation, in the operator's
    directory. They run as root without sudo."""
    marker = re.compile(rf"<!-- tests/systemd: {name} -->\n+```console\n(.*?)```", re.DOTALL)
    blocks = [found for file in sorted(DOCS.rglob("*.md")) for found in marker.findall(file.read_text())]
    check(len(blocks) == 1, f"{len(blocks)} blocks are marked <!-- tests/systemd: {name} -->")
    lines = [line.removeprefix("$ ").removeprefix("> ") for line in blocks[0].splitlines() if line[:2] in ("$ ", "> ")]
    script = "\n".join(['sudo() { "$@"; }', *lines])
    return run("bash", "-euo", "pipefail", "-c", script)


# --- HTTP ----------------------------------------------------------------------------------------------------


def ask(url: str, method: str = "GET", body: bytes | None = None, headers: dict[str, str] | None = None):
    """The status and the body of an answer."""
    request = urllib.request.Request(url, method=method, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
    except urllib.error.URLError as error:
        raise error.reason if isinstance(error.reason, OSError) else error


def status_of(url: str, secret: str | None = None) -> int:
    return ask(url, headers={"Authorization": f"Bearer {secret}"} if secret else None)[0]


def json_of(url: str) -> dict:
    status, body = ask(url)
    check(status == 200, f"{url}: {status}")
    return json.loads(body)


class Receiver:
    """Receives webhook calls on a port and stores them."""

    def __init__(self, port: int):
        self.calls: list[tuple[dict[str, str], bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.server = server
        self.url = f"http://127.0.0.1:{port}/hook"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


# --- systemd -------------------------------------------------------------------------------------------------


def property_of(unit: str, name: str) -> str:
    return run("systemctl", "show", "--property", name, "--value", unit).strip()


def main_pid(unit: str) -> int:
    return int(property_of(unit, "MainPID"))


def is_active(unit: str) -> bool:
    return property_of(unit, "ActiveState") == "active"


def journal(unit: str) -> str:
    return run("journalctl", "--no-pager", "-o", "cat", "-u", unit)


def wait_for(holds, what: str, seconds: float = 15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise Failed(f"after {seconds} s it does not hold that {what}")


# --- scenarios -----------------------------------------------------------------------------------------------


class Scenarios:
    """A decorator that collects the scenarios, and runs them in their order."""

    def __init__(self):
        self.kept = []

    def __call__(self, function):
        self.kept.append(function)
        return function

    def run_all(self, last: list[str]) -> int:
        """Runs all scenarios, or those up to the last one whose name contains one of the words. Prints TAP."""
        count = max((n for n, kept in enumerate(self.kept, 1) if any(word in kept.__name__ for word in last)),
                    default=len(self.kept))  # fmt: skip
        print(f"1..{count}", flush=True)
        failed = 0
        for number, function in enumerate(self.kept[:count], 1):
            start, name = time.monotonic(), function.__name__.replace("_", " ")
            try:
                function()
                result, why = "ok", ""
            except Exception as error:
                failed += 1
                result = "not ok"
                why = str(error) if isinstance(error, Failed) else traceback.format_exc()
            print(f"{result} {number} - {name} ({time.monotonic() - start:.1f} s)", flush=True)
            for line in why.splitlines():
                print(f"#   {line}", flush=True)
        if failed:
            log = subprocess.run(["journalctl", "--no-pager", "-u", "callboard*", "-n", "60"], capture_output=True, text=True)
            print("".join(f"# {line}\n" for line in log.stdout.splitlines()))
        print(f"# pass {count - failed}\n# fail {failed}\n# skipped 0")
        return 1 if failed else 0


scenario = Scenarios()
os.chdir(HOME)
