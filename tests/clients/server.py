"""The real server as a process on a free port, with the test's data directory."""

import gzip
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import brotli
import requests
import zstandard
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from feeds import ROOT, TARGET

BINARY = Path(os.environ.get("CALLBOARD", TARGET / "debug" / "callboard"))

# On a busy machine the server answers 503 for a moment; clients try again.
PATIENT = requests.Session()
PATIENT.mount("http://", HTTPAdapter(max_retries=Retry(
    connect=0, read=0, status=10, backoff_factor=0.2, status_forcelist=[503], allowed_methods=None, raise_on_status=False,
)))  # fmt: skip

DECODERS = {
    "identity": bytes,
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}


class Server:
    def __init__(self, data: Path, program: Path = ROOT / "program.csv",
                 config: Path = ROOT / "config" / "callboard.toml", *more: str):  # fmt: skip
        self.data = data
        self.program = program
        self.config = config
        self.more = more
        self.log = data.with_suffix(".log")
        self.listen = "127.0.0.1:0"
        self.process = None
        self.origin = None

    def start(self) -> None:
        """Starts the server; again on its first port, which is part of every link."""
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [
                    str(BINARY), "serve", "--listen", self.listen, "--program", str(self.program),
                    "--config", str(self.config), "--data", str(self.data), *self.more,
                ],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        for _ in range(600):
            printed = re.search(r"http://(127\.0\.0\.1:[1-9][0-9]*)", self.log.read_text())
            if printed and self._answers(printed[0]):
                self.listen, self.origin = printed[1], printed[0]
                return
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"it does not answer at an URL that it printed: {self.log.read_text()}")

    @staticmethod
    def _answers(origin: str) -> bool:
        try:
            return requests.get(origin + "/program.ics", timeout=5).status_code == 200
        except (requests.ConnectionError, requests.Timeout):
            return False  # it listens before its store is open

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        assert self._end(signal.SIGTERM) == 0

    def _end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def get(self, path: str, coding: str = "identity", **headers: str) -> requests.Response:
        """The response; the library of the coding decodes the body, not the HTTP client."""
        url = path if path.startswith("http") else self.origin + path
        headers = {"Accept-Encoding": coding, **{name.replace("_", "-"): value for name, value in headers.items()}}
        response = PATIENT.get(url, headers=headers, timeout=60, stream=True)
        body = response.raw.read(decode_content=False)
        if body:
            body = DECODERS[response.headers.get("Content-Encoding", "identity")](body)
        response._content = body
        return response
