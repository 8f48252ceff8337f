"""The server as a process of its own, and its CPU and memory."""

import os
import platform
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))


def binary() -> Path:
    return Path(os.environ.get("CALLBOARD", TARGET / "release" / "callboard"))


def build() -> None:
    """Brings the release build up to date, unless CALLBOARD names another binary."""
    if "CALLBOARD" not in os.environ:
        subprocess.run(["cargo", "build", "--locked", "--release", "--quiet"], cwd=ROOT, check=True)


def raise_descriptors() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def whereabouts() -> str:
    cpu = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())  # fmt: skip
    load = os.getloadavg()[0]
    return f"{date.today()}, {os.cpu_count()} cores of {cpu}, Linux {platform.release()}, load {load:.1f}, {binary().parent.name} build"


class Server:
    """A server with its own directory. Tests can change its config and program before it starts."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="callboard-load-"))
        self.config = (ROOT / "config" / "callboard.toml").read_text()
        self.program = self.dir / "program.csv"
        shutil.copy(ROOT / "program.csv", self.program)
        self.log = self.dir / "log"
        self.process = None
        self.port = None
        self.operator = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def command(self, port: int) -> list[str]:
        (self.dir / "callboard.toml").write_text(self.config)
        return [
            str(binary()), "serve", "--listen", f"127.0.0.1:{port}", "--config", str(self.dir / "callboard.toml"),
            "--program", str(self.program), "--data", str(self.dir / "data"),
        ]  # fmt: skip

    def start(self, *more: str, before=None) -> "Server":
        """Starts it and waits until it listens. `before` runs in its process, to limit it."""
        environment = dict(os.environ, CALLBOARD_LOG="warn")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([*self.command(0), *more], stdout=log, stderr=log, env=environment, preexec_fn=before)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            printed = re.search(r"http://127\.0\.0\.1:([1-9][0-9]*)", self.log.read_text())
            if printed:
                self.port = int(printed[1])
                return self
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"it does not start: {self.log.read_text()}")

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
            return answer.read()

    def cpu(self) -> float:
        """The CPU seconds that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self) -> None:
        """Waits until the background work of a start is done: compression and pages."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            before = self.cpu()
            time.sleep(0.5)
            if self.cpu() - before < 0.05:
                return

    def memory(self) -> tuple[int, int]:
        """Resident memory now, and its peak, in MiB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        read = lambda name: int(re.search(rf"{name}:\s+(\d+)", status)[1]) // 1024  # noqa: E731
        return read("VmRSS"), read("VmHWM")
