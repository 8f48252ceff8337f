"""Rows 9 to 12e: a program of 50,000 sessions, published many times."""

import shutil
import threading
import time

from . import servers
from .load import Target, load
from .machine import cpu_seconds, memory, reset_peak
from .programs import Program
from .servers import wait_until_idle
from .table import Row

MIB = 2**20
GOAL = 1.2 * 2**30
CODINGS = ["br", "zstd", "gzip"]


def rows():
    return {row.number: row for row in [
        Row("9", "p99 of feeds while a large program is published over and over / without", 2.0),
        Row("10a", "cold, file to all feeds served: CPU / csv + icalendar + one sled batch", 1.3),
        Row("10b", "one row changed / cold: CPU", 0.4),
        Row("11", "cold: time for ten times as many sessions", 12.0),
        Row("12a", "steady memory / feed bytes once + one index", 1.3),
        Row("12b", "peak while publishing / the same", 2.5),
        Row("12c", "peak of a first publication / 1.2 GiB", 1.0),
        Row("12d", "peak of a republication / 1.2 GiB", 1.0),
        Row("12e", "peak of a start that renders everything anew / 1.2 GiB", 1.0),
    ]}


class Bench:
    def __init__(self, setting):
        self.setting, self.rows = setting, rows()
        self.work = setting.work / "scale"
        self.work.mkdir()
        self.large = self.lay("large", setting.sessions)
        self.small = self.lay("small", setting.sessions // 10)
        self.change = 0

    def lay(self, name, sessions):
        folder = self.work / name
        folder.mkdir()
        program = Program(self.setting.program, sessions)
        program.write(folder / "program.csv")
        program.config(folder / "callboard.toml")
        return program

    def start(self, name):
        folder = self.work / name
        shutil.rmtree(folder / "data", ignore_errors=True)
        return servers.callboard(self.setting.callboard, folder / "program.csv", folder / "callboard.toml",
                                 folder / "data", folder)

    def cold(self, name):
        """Starts in an empty directory. Returns the server, and CPU and wall seconds to the first answer (all feeds exist)."""
        server = self.start(name)
        return server, cpu_seconds(server.pid), server.started

    def publish(self, server):
        """Saves the file with one row changed: CPU seconds until readers see it."""
        seen = server.ask("/program.ics", method="HEAD")[1]["etag"]
        self.change += 1
        before = cpu_seconds(server.pid)
        self.large.write(self.work / "large" / "program.csv", self.change)
        started = time.perf_counter()
        while server.ask("/program.ics", method="HEAD")[1]["etag"] == seen:
            if time.perf_counter() - started > 120:
                raise RuntimeError("a saved program was not published, see the log")
            time.sleep(0.01)
        return cpu_seconds(server.pid) - before, time.perf_counter() - started

    def round(self, turn):
        self.change = 0
        self.large.write(self.work / "large" / "program.csv")
        small, small_cpu, small_wall = self.cold("small")
        small.stop()
        server, cpu, wall = self.cold("large")
        with server:
            wait_until_idle(server)
            _, first = memory(server.pid)
            changed_cpu, changed_wall = self.publish(server)
            wait_until_idle(server)
            self.publish(server)
            wait_until_idle(server)
            steady, _ = memory(server.pid)
            reset_peak(server.pid)
            self.publish(server)
            wait_until_idle(server)
            _, peak = memory(server.pid)
            ideal = self.ideal(server)
            calm, busy = self.busy(server)
        moved = self.moved()
        shutil.rmtree(self.work / "crates", ignore_errors=True)
        crates = self.setting.tool("crates", self.work / "large" / "program.csv", self.work / "large" / "data",
                                   self.work / "crates")
        alone = crates["stored"]
        self.rows["9"].add(busy["p99"] / calm["p99"])
        self.rows["9"].note = f"{busy['p99'] * 1e3:.2f} ms / {calm['p99'] * 1e3:.2f} ms, one core"
        self.rows["10a"].add(cpu / alone["cpu_s"])
        self.rows["10a"].note = f"{cpu:.2f} s CPU, {wall:.2f} s; crates {alone['cpu_s']:.2f} s, {alone['wall_s']:.2f} s"
        self.rows["10b"].add(changed_cpu / cpu)
        self.rows["10b"].note = f"{changed_cpu:.2f} s CPU, {changed_wall:.2f} s"
        self.rows["11"].add(cpu / small_cpu)
        self.rows["11"].note = f"wall {wall / small_wall:.1f}"
        self.rows["12a"].add(steady / ideal)
        self.rows["12a"].note = f"{steady / MIB:.0f} MiB / {ideal / MIB:.0f} MiB"
        self.rows["12b"].add(peak / ideal)
        self.rows["12b"].note = f"{peak / MIB:.0f} MiB"
        for number, bytes_ in [("12c", first), ("12d", peak), ("12e", moved)]:
            self.rows[number].add(bytes_ / GOAL)
            self.rows[number].note = f"{bytes_ / MIB:.0f} MiB"
        self.setting.say(f"cold {cpu:.2f} s, small {small_cpu:.2f} s, changed {changed_cpu:.2f} s, {crates}")

    def moved(self):
        """The peak memory of a start with another public URL, which changes every feed."""
        folder = self.work / "large"
        with servers.callboard(self.setting.callboard, folder / "program.csv", folder / "callboard.toml",
                               folder / "data", folder, public_url="https://moved.example.test") as server:
            wait_until_idle(server)
            return memory(server.pid)[1]

    def ideal(self, server):
        """Bytes of all public feeds if each VEVENT is stored once, plus an index: id, digest, stamps and offset of
        each session; path, tag and offsets of each feed. Sampled, and scaled to all paths."""
        def size(path, coding=None):
            fields = {"Accept-Encoding": coding} if coding else {}
            status, answered, body = server.ask(path, fields)
            if status != 200:
                raise RuntimeError(f"{path} is {status}")
            return body if coding is None else (len(body) if answered.get("content-encoding") == coding else 0)

        def feed(path):
            plain = size(path)
            envelope = plain.find(b"BEGIN:VEVENT")
            members = plain.count(b"BEGIN:VEVENT")
            coded = sum(size(path, coding) for coding in CODINGS)
            return envelope + coded + len(path) + 64 + 8 * members

        whole = size("/program.ics")
        total = len(whole) + sum(size("/program.ics", coding) for coding in CODINGS)
        total += self.large.sessions * (16 + 32 + 12 + 8)
        for paths in self.large.paths().values():
            sample = paths[:: max(1, len(paths) // 100)]
            total += sum(map(feed, sample)) * len(paths) / len(sample)
        return total

    def busy(self, server):
        """A load of feed requests, without publications and with one publication after the other."""
        lines = [f"{path}\t-\n" for kind, paths in self.large.paths().items()
                 for path in paths[:50] if kind != "day"]
        paths = self.work / "paths"
        paths.write_text("".join(lines), encoding="utf-8")
        target = Target(server, fields={"Accept-Encoding": "gzip"}, paths=paths)
        seconds = max(self.setting.seconds, 3) * 3 if not self.setting.smoke else 1
        calm = load(target, seconds, connections=16, rate=500)
        going, published = threading.Event(), []

        def publish():
            while not going.is_set():
                published.append(self.publish(server))

        publisher = threading.Thread(target=publish)
        publisher.start()
        try:
            busy = load(target, seconds, connections=16, rate=500)
        finally:
            going.set()
            publisher.join()
        self.setting.say(f"{len(published)} publications under load")
        return calm, busy


def measure(setting):
    bench = Bench(setting)
    for turn in range(setting.rounds):
        bench.round(turn)
        if turn + 1 >= setting.long_rounds:
            break
    return list(bench.rows.values())
