"""`callboard deliver` as a process, and the deliveries that wait for it."""

import json
import signal
import socket
import subprocess
import time

from organizer import Organizer, edited, written
from server import BINARY


def arguments(organizer: Organizer, *more: str) -> list[str]:
    return ["deliver", *more, "--config", str(organizer.config), "--data", str(organizer.data)]


def deliver(organizer: Organizer, *more: str, exit_code: int = 0) -> str:
    return organizer.command(*arguments(organizer, "--once", *more), exit_code=exit_code)


def waiting(organizer: Organizer) -> int:
    """The number of deliveries that wait, from the server itself."""
    with socket.socket(socket.AF_UNIX) as control:
        control.connect(str(organizer.data / "control.sock"))
        control.sendall(b'deliver\n"count"\n')
        return json.loads(control.makefile().readline())["counted"]["waiting"]


class Sender:
    """`callboard deliver` as a service."""

    def __init__(self, organizer: Organizer):
        self.log = organizer.data.with_name("deliver.log")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(BINARY), *arguments(organizer)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        return self.process.wait(timeout=60)


def wait_for(condition, what: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def publish(organizer: Organizer, day: str) -> None:
    organizer.upload(written(edited(organizer.rows(), slow_queries={"date": day})))
