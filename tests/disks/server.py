"""The real server as a process on a test's data directory, with the shim between it and its files."""

import atexit
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = Path(os.environ.get("CALLBOARD", TARGET / "debug" / "callboard"))
JUDGE = Path(os.environ.get("DISKS_JUDGE", TARGET / "debug" / "disks-judge"))
SECRET = "an-organizer-secret"
KINDS = ["write", "sync", "rename", "open", "unlink", "resize", "mkdir"]
FIRED, BUDGET, SLOTS = 16, 17, 32

# Retention is off in effect, because the conference is over. Checkpoints are so frequent that short sessions have several.
# Pieces are so short that every release has some; a release that moves a session writes the whole ledger in pieces. The
# limits allow more changes of an agenda than people make.
CONFIG = """
public_url = "http://conf.example"
retention_days = 36500
checkpoint_kib = 16
piece_kib = 3
[conference]
title = "Disks"
slug = "disks"
first_day = 2025-03-24
last_day = 2025-03-27
zone = "America/Los_Angeles"
uid_domain = "disks.example"
[publishing]
keep_releases = 10000
[limits]
agenda_changes_at_once = 1000000
agenda_links_at_once = 1000000
[[tracks]]
name = "Main"
slug = "main"
colour = "#7a3e9d"
[[tracks]]
name = "Side"
slug = "side"
colour = "#0b6e8f"
"""
SESSIONS = [f"talk-{n}" for n in range(12)]


def program(variant: int, sessions: list[str] = SESSIONS) -> bytes:
    """The program in one of its variants, which differ in two titles and an hour."""
    lines = ["id,date,start,end,kind,title,track,room,speakers"]
    for n, id in enumerate(sessions):
        title = f"Talk {n}" + (f" take {variant}" if n < 2 else "")
        hour = 9 + n % 12 + (variant % 2 if n == 2 else 0)
        day, track = 24 + n % 4, ["Main", "Side"][n % 2]
        lines.append(f"{id},2025-03-{day},{hour:02}:00,{hour:02}:40,talk,{title},{track},Hall {n % 3},Ada {n}")
    return "\n".join(lines).encode() + b"\n"


def scratch() -> Path:
    """A new directory, in memory if possible: the order of calls is tested, not the speed of a disk."""
    memory = Path("/dev/shm")
    base = memory if memory.is_dir() and os.access(memory, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="callboard-disks-", dir=base)).resolve()


def build() -> None:
    """Builds the server, unless CALLBOARD names one."""
    if "CALLBOARD" not in os.environ:
        subprocess.run(["cargo", "build", "--locked", "--quiet"], cwd=ROOT, check=True)


def build_shim(home: Path) -> Path:
    shim = home / "shim.so"
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", shim, HERE / "shim.c", "-ldl"], check=True)
    return shim


class Refused(Exception):
    """The server ended before it answered: its exit code and output."""

    def __init__(self, code: int, said: str):
        super().__init__(f"exit code {code}: {said.strip()[-600:]}")
        self.code, self.said = code, said


class Home:
    """Program, config, secret and shim for any number of servers."""

    def __init__(self, at: Path, sessions: list[str] = SESSIONS):
        self.at = at
        at.mkdir(exist_ok=True, parents=True)
        (at / "program.csv").write_bytes(program(0, sessions))
        (at / "callboard.toml").write_text(CONFIG + os.environ.get("DISKS_CONFIG", "").replace("\\n", "\n"))
        digest = hashlib.sha256(SECRET.encode()).hexdigest()
        (at / "organizer-secrets").write_text(f"ops sha256:{digest}\n")
        self.shim = build_shim(at)


class Board:
    """The shim's numbers: the calls of each kind, and the free space."""

    def __init__(self, path: Path):
        self.path = path
        path.write_bytes(bytes(8 * SLOTS))

    def calls(self) -> dict[str, int]:
        return dict(zip(KINDS, struct.unpack_from("<7q", self.path.read_bytes())))

    def has_fired(self) -> bool:
        return struct.unpack_from("<q", self.path.read_bytes(), 8 * FIRED)[0] > 0

    def set_room(self, bytes_left: int) -> None:
        with open(self.path, "r+b") as file:
            file.seek(8 * BUDGET)
            file.write(struct.pack("<q", bytes_left))


RUNNING: set[subprocess.Popen] = set()


@atexit.register
def end_all() -> None:
    for process in RUNNING:
        process.kill()


class Server:
    def __init__(self, home: Home, data: Path, **shim: str):
        """`shim` has its DISKS_… settings in lower case. Without any the shim is not loaded."""
        self.home, self.data = home, data
        self.environment = {f"DISKS_{name.upper()}": str(value) for name, value in shim.items()}
        self.process = self.reader = None
        self.said = ""

    def launch(self) -> "Server":
        """Starts the server without waiting until it answers."""
        environment = dict(os.environ, CALLBOARD_LOG="info", RUST_BACKTRACE="0", NO_COLOR="1")
        if self.environment:
            environment.update(self.environment, LD_PRELOAD=str(self.home.shim))
        at = self.home.at
        command = [BINARY, "serve", "--listen", "127.0.0.1:0", "--program", at / "program.csv", "--config",
                   at / "callboard.toml", "--data", self.data, "--organizer-secret-file", at / "organizer-secrets"]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        RUNNING.add(self.process)
        self.said = ""
        self.listening = threading.Event()
        self.reader = threading.Thread(target=self._read, args=(self.process.stderr, None), daemon=True)
        out = threading.Thread(target=self._read, args=(self.process.stdout, self.listening), daemon=True)
        self.reader.start(), out.start()
        return self

    def start(self, patience: float = 30) -> "Server":
        self.launch()
        deadline = time.monotonic() + patience
        while not self.listening.wait(0.05):
            if self.process.poll() is not None:
                self.reader.join(2)
                RUNNING.discard(self.process)
                raise Refused(self.process.returncode, self.said)
            if time.monotonic() > deadline:
                self.kill()
                raise Refused(-1, f"it did not start within {patience:.0f} s: {self.said}")
        self.port = self._port()
        return self

    def _read(self, pipe, listening) -> None:
        for line in pipe:
            line = line.decode(errors="replace")
            if listening is None:
                self.said += line
            elif "subscribe" in line:
                listening.set()

    def _port(self) -> int:
        """The port of its only listening socket. The server prints its public URL instead."""
        inodes = set()
        for fd in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd))
            except OSError:
                continue
            if found:
                inodes.add(found[1])
        for line in Path(f"/proc/{self.process.pid}/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                return int(fields[1].split(":")[1], 16)
        raise AssertionError("it listens nowhere")

    def client(self, address: str = "127.0.0.1", timeout: float = 20) -> "Client":
        return Client(self.port, address, timeout)

    def kill(self) -> int:
        return self._end(signal.SIGKILL)

    def stop(self) -> int:
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        RUNNING.discard(process)
        process.send_signal(how)
        try:
            code = process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"it does not stop: {self.said[-600:]}") from None
        self.reader.join(2)
        process.stdout.close(), process.stderr.close()
        return code

    def panics(self) -> list[str]:
        return re.findall(r"panicked at ([^\n]*)", self.said)


class Answer:
    def __init__(self, status: int, body: bytes, headers):
        self.status, self.body, self.headers = status, body, headers

    def json(self):
        return json.loads(self.body)


class Client:
    """A persistent connection from its own loopback address, since limits are per address."""

    def __init__(self, port: int, address: str, timeout: float):
        self.make = lambda: http.client.HTTPConnection("127.0.0.1", port, timeout, source_address=(address, 0))
        self.connection = self.make()

    def ask(self, method: str, path: str, body=None, key: str | None = None) -> Answer:
        headers = {"Host": "conf.example"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        elif body is not None:
            headers["Content-Type"] = "text/csv"
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            return Answer(response.status, response.read(), response.headers)
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection = self.make()
            return Answer(0, str(error).encode(), {})

    def organize(self, method: str, path: str, body: bytes | None = None) -> Answer:
        return self.ask(method, path, body, SECRET)


def remove(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)
