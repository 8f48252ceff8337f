"""A reader of one source beside each replica: one reads, and another takes over."""

import http.server
import os
import signal
import subprocess
import threading
import time


class Source(http.server.BaseHTTPRequestHandler):
    """A program that changes, and its readers."""

    program, requests = b"", 0

    def do_GET(self):
        type(self).requests += 1
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(self.program)))
        self.end_headers()
        self.wfile.write(self.program)

    def log_message(self, *_):
        pass


def followers(verdict, replicas, program, release):
    """Restarts the replicas with a source, and runs a reader beside two of them."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Source.program = program(release).encode()
    for replica in replicas:
        replica.stop()
        with open(os.path.join(replica.directory, "callboard.toml"), "a") as config:
            config.write(f'\n[source]\nurl = "http://127.0.0.1:{server.server_port}/program.csv"\nevery = "1s"\n')
        replica.start()
        replica.wait_until_it_answers()
    readers = {replica: reader(replica) for replica in replicas}
    number = lambda: [replica.ready()[1]["release"] for replica in replicas]
    in_charge = lambda: [replica for replica in replicas if replica.ready()[1]["replica"]["in_charge"]]
    try:
        # Another replica than the killed one takes charge within 40 seconds.
        if not wait(lambda: len(in_charge()) == 1, 60):
            verdict.check(False, "readers of a source: no replica is in charge")
            return
        before = number()[0]
        wait(lambda: Source.requests > 1)
        started, asked = time.monotonic(), Source.requests
        changes = 4
        for change in range(changes):
            Source.program = program(f"{release} changed {change}").encode()
            text = f"changed {change}".encode()
            seen = wait(lambda: all(text in replica.request("GET", "/program.ics")[2] for replica in replicas))
            if not seen:
                break
        rate = (Source.requests - asked) / (time.monotonic() - started)
        verdict.check(seen and number() == [before + changes] * len(replicas), f"readers of a source: {changes} changes are releases {before + 1} to {number()}")
        verdict.check(rate < 1.5, f"readers of a source: one of them reads, {rate:.1f} requests a second")
        # The replica in charge stops with its reader, and another one takes over.
        charged = in_charge()[0]
        end(readers.pop(charged))
        charged.stop()
        rest = [replica for replica in replicas if replica is not charged]
        Source.program = program(f"{release} after it").encode()
        started = time.monotonic()
        seen = wait(lambda: all(b"after it" in replica.request("GET", "/program.ics")[2] for replica in rest), 20)
        verdict.check(seen, f"readers of a source: another one takes over after {time.monotonic() - started:.1f} s")
        charged.start()
        charged.wait_until_it_answers()
    finally:
        for process in readers.values():
            end(process)
        server.shutdown()


def reader(replica):
    command = [replica.binary, "follow", "--config", "callboard.toml"]
    return subprocess.Popen(command, cwd=replica.directory, stdout=replica.log, stderr=replica.log)


def end(process):
    process.send_signal(signal.SIGTERM)
    process.wait(40)


def wait(holds, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if holds():
                return True
        except OSError:
            pass
        time.sleep(0.1)
    return False
