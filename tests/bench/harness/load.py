"""Load by wrk, and the CPU time that it costs the server."""

import json
import re
import subprocess
from pathlib import Path

from .machine import LOAD_CORE, cpu_seconds, pinned

SCRIPT = Path(__file__).with_name("load.lua")


class Target:
    """The requests to one server: a path, or a file of paths and tags, with header fields."""

    def __init__(self, server, path="/", fields=None, paths=None, revalidate=False):
        self.server, self.path, self.fields, self.paths = server, path, fields or {}, paths
        self.revalidate = revalidate


def load(target, seconds, connections=16, rate=None):
    """Runs wrk and returns requests, requests/s, p99 in seconds and CPU seconds per request.

    With a rate, connections pause at random between requests, so that the load is about that many requests a second.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", SCRIPT]
    for name, value in target.fields.items():
        command += ["-H", f"{name}: {value}"]
    pause = 0 if rate is None else 2000 * connections / rate
    command += [f"http://127.0.0.1:{target.server.port}{target.path}", "--", target.paths or "-",
                f"{pause:.3f}", "revalidate" if target.revalidate else "fresh"]
    before = cpu_seconds(target.server.pid)
    done = subprocess.run(pinned(LOAD_CORE, command), capture_output=True, text=True, check=False)
    after = cpu_seconds(target.server.pid)
    found = re.search(r"^RESULT (.*)$", done.stdout, re.M)
    if not found:
        raise RuntimeError(f"wrk failed: {done.stdout}{done.stderr}")
    result = json.loads(found[1])
    if result["errors"] or not result["requests"]:
        raise RuntimeError(f"{target.server.name} {target.path}: {result}")
    result["cpu"] = (after - before) / result["requests"]
    return result
