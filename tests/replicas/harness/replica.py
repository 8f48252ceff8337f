"""One replica: a server process with a data directory of its own."""

import http.client
import json
import os
import signal
import subprocess
import time

from .database import Proxy, free_port

CONFIG = """
listen = "127.0.0.1:{port}"
operator_listen = "127.0.0.1:{operator}"
public_url = "http://conf.example.org"
program = "program.csv"
data = "data"
database = "{url}"
{more}replica = "{name}"
acknowledge_loss = {acknowledge_loss}
organizer_secret_file = "organizer-secrets"

[conference]
title = "Replicated"
slug = "replicated"
zone = "America/Los_Angeles"

[publishing]
guard_share = 1.0

[limits]
agendas_at_once = 1000000
agendas_hour = 1000000
agenda_changes_at_once = 1000000
agenda_changes_hour = 1000000
changes_at_once = 1000000
changes_hour = 1000000
agenda_links_at_once = 1000000
agenda_links_hour = 1000000
links_at_once = 1000000
links_hour = 1000000
"""


def clock_library(directory):
    """Compiles the library that shifts the clock of a replica; none without a C compiler."""
    library = os.path.join(directory, "clock.so")
    source = os.path.join(os.path.dirname(__file__), "clock.c")
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", library, source], check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return library


class Replica:
    def __init__(self, name, binary, directory, database, program, secret_line, hosts=None, acknowledge_loss=False, url=None, more=""):
        self.name, self.binary, self.directory = name, binary, directory
        if hosts is None and url is None:
            self.proxy = Proxy(database.port)
            hosts = f"127.0.0.1:{self.proxy.port}"
        url = url or f"postgresql://callboard@{hosts}/postgres"
        self.port, self.operator = free_port(), free_port()
        os.mkdir(directory)
        config = CONFIG.format(
            port=self.port, operator=self.operator, url=url, more=more, name=name, acknowledge_loss=str(acknowledge_loss).lower()
        )
        for file, text in (("callboard.toml", config), ("program.csv", program), ("organizer-secrets", secret_line)):
            with open(os.path.join(directory, file), "w") as out:
                out.write(text)
        self.process = None
        # The library that makes `set_clock` work, see `clock_library`.
        self.clock_library = None
        self.set_clock(0)

    def set_clock(self, seconds):
        """Sets this replica's clock ahead, or back if the number is negative."""
        file = os.path.join(self.directory, "clock")
        with open(file, "r+b" if os.path.exists(file) else "wb") as out:
            out.write(seconds.to_bytes(8, "little", signed=True))

    def start(self):
        self.log = open(os.path.join(self.directory, "log"), "ab")
        environment = dict(os.environ)
        if self.clock_library:
            environment |= {"LD_PRELOAD": self.clock_library, "CALLBOARD_TEST_CLOCK": os.path.join(self.directory, "clock")}
        self.process = subprocess.Popen(
            [self.binary, "--config", "callboard.toml"], cwd=self.directory, stdout=self.log, stderr=self.log, env=environment
        )

    def wait_until_it_answers(self, seconds=40):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended with {self.process.returncode}, see {self.directory}/log")
            try:
                if self.request("GET", "/program.ics")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise SystemExit(f"{self.name} does not answer, see {self.directory}/log")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def pause(self, seconds):
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def request(self, method, path, headers=None, body=None, timeout=12):
        """Status, headers and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body=body, headers={"Host": "conf.example.org", **(headers or {})})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        except http.client.HTTPException as error:
            raise OSError(str(error)) from error
        finally:
            connection.close()

    def says(self, text):
        """Whether the log has a text."""
        with open(os.path.join(self.directory, "log"), encoding="utf-8") as log:
            return text in log.read()

    def ready(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.operator, timeout=5)
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def position(self):
        return self.ready()[1]["replica"]["position"]
