"""The real server as a process of its own, on a free port, with a data directory of the test's."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import requests

from feeds import ROOT, TARGET

BINARY = Path(os.environ.get("CALLBOARD", TARGET / "debug" / "callboard"))


class Server:
    def __init__(self, data: Path):
        self.data = data
        self.listen = "127.0.0.1:0"
        self.process = None
        self.origin = None

    def start(self) -> None:
        """Starts it; from the second time on at the port that it had, since that stands in every link."""
        self.log = open(self.data.with_suffix(".log"), "ab")
        self.process = subprocess.Popen(
            [
                str(BINARY), "serve", "--listen", self.listen, "--program", str(ROOT / "program.csv"),
                "--config", str(ROOT / "config" / "callboard.toml"), "--data", str(self.data),
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )  # fmt: skip
        for line in self.process.stdout:
            if url := re.search(r"http://(127\.0\.0\.1:[0-9]+)", line):
                self.listen, self.origin = url[1], url[0]
                break
        else:
            if self.process.wait(timeout=30) == 0:
                pytest.skip("this build's `serve` ends at once, without serving")
            raise AssertionError(f"it ended without a URL: {self.data.with_suffix('.log').read_text()}")
        for _ in range(200):
            try:
                requests.get(self.origin + "/program.ics", timeout=5)
                return
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError("it does not answer at the URL that it printed")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        assert self._end(signal.SIGTERM) == 0

    def _end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        self.log.close()
        self.process = None
        return code

    def get(self, path: str, coding: str = "identity", **headers: str) -> requests.Response:
        url = path if path.startswith("http") else self.origin + path
        headers = {"Accept-Encoding": coding, **{name.replace("_", "-"): value for name, value in headers.items()}}
        return requests.get(url, headers=headers, timeout=10)
