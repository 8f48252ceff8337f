"""Rows 1 to 8, 13 and 15: what one request costs, on the real program."""

import gzip
import subprocess
import time

from . import servers
from .load import Target, load
from .machine import memory
from .table import Row

TRACK = "/tracks/track-1.ics"
CALENDAR = "text/calendar; charset=utf-8"


def rows():
    return {row.number: row for row in [
        Row("1", "full feed, plain: CPU / bare hyper", 1.05),
        Row("2", "full feed, gzip: CPU / nginx gzip_static", 0.85),
        Row("3a", "full feed, 304: CPU / bare hyper", 1.10),
        Row("3b", "full feed, 304: requests/s / nginx", 1.0, at_least=True),
        Row("4.1", "track feed, plain: CPU / bare hyper", 1.05),
        Row("4.2", "track feed, gzip: CPU / nginx gzip_static", 0.85),
        Row("4.3a", "track feed, 304: CPU / bare hyper", 1.10),
        Row("4.3b", "track feed, 304: requests/s / nginx", 1.0, at_least=True),
        Row("5", "agenda of 10, 200: CPU / bare hyper", 1.3),
        Row("6", "agenda of 10, 304: CPU / bare hyper", 1.2),
        Row("7", "program page, gzip: CPU / bare hyper", 1.2),
        Row("8", "p99 at a quarter of full load / bare hyper", 1.5),
        Row("13", "start to first answer, nothing in the store / bare hyper", 3.0),
        Row("13b", "the same, started again over what is there", 3.0),
        Row("15", "resident memory under load / nginx", 1.0),
    ]}


def await_best(server, path):
    """Waits for the better compression, which the server makes in the background."""
    for _ in range(600):
        tag = server.ask(path, {"Accept-Encoding": "gzip"})[1].get("etag", "")
        if tag.endswith('-g9"') or tag.endswith('-g6"'):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{path} is not compressed")


class Bench:
    """Callboard, bare hyper and nginx, which serve the same bytes."""

    def __init__(self, setting):
        self.setting, self.rows, self.closing = setting, rows(), []
        self.work = setting.work / "feeds"
        (self.work / "www").mkdir(parents=True)
        self.manifest = []

    def start(self):
        setting = self.setting
        self.ours = self.keep(servers.callboard(
            setting.callboard, setting.program, setting.config, self.work / "data", self.work))
        servers.wait_until_idle(self.ours)
        for path in ["/program.ics", TRACK]:
            await_best(self.ours, path)
            self.hold(self.ours, path, {}, path)
            self.hold(self.ours, path, {"Accept-Encoding": "gzip"}, f"{path}.gz")
        self.page = self.ours.ask("/", {"Accept-Encoding": "gzip"})[0] == 200
        if self.page:
            self.hold(self.ours, "/", {"Accept-Encoding": "gzip"}, "/page.html.gz")
        else:
            self.rows["7"].note = "the server has no page yet"
        self.start_agendas()
        manifest = self.work / "manifest"
        manifest.write_text("".join(self.manifest), encoding="utf-8")
        self.bare = self.keep(servers.bare(setting.bare, manifest, "/program.ics", self.work))
        self.nginx = self.keep(servers.Nginx(self.work / "www", "/program.ics", self.work))
        self.manifest_file = manifest
        self.check()

    def keep(self, server):
        self.closing.append(server)
        return server

    def stop(self):
        for server in reversed(self.closing):
            server.stop()

    def hold(self, server, path, fields, under):
        """Stores a body of Callboard, which the other servers then serve."""
        status, answered, body = server.ask(path, fields)
        if status != 200:
            raise RuntimeError(f"{path} is {status}")
        file = self.work / "www" / under.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        coding = answered.get("content-encoding", "-")
        self.manifest.append(f"{under}\t{answered['etag']}\t{coding}\t{answered['content-type']}\t{file}\n")

    def start_agendas(self):
        """Starts a second Callboard with many agendas, so that the memory of the first is that of the program alone."""
        setting = self.setting
        data, tokens = self.work / "agendas", self.work / "tokens"
        servers.callboard(setting.callboard, setting.program, setting.config, data, self.work).stop()
        setting.tool("agendas", data, "srecon25americas", setting.agendas, tokens)
        self.many = self.keep(servers.callboard(
            setting.callboard, setting.program, setting.config, data, self.work))
        servers.wait_until_idle(self.many)
        read = tokens.read_text(encoding="utf-8").split()
        lines = []
        for token in read[:: max(1, len(read) // 500)]:
            path = f"/agendas/{token}.ics"
            self.hold(self.many, path, {}, path)
            lines.append(f"{path}\t{self.manifest[-1].split(chr(9))[1]}\n")
        self.agenda_paths = self.work / "agenda-paths"
        self.agenda_paths.write_text("".join(lines), encoding="utf-8")

    def check(self):
        """Checks that all three servers send the same bytes. Otherwise no measurement would mean anything."""
        plain = self.ours.ask("/program.ics")[2]
        coded = {"Accept-Encoding": "gzip"}
        assert plain.startswith(b"BEGIN:VCALENDAR\r\n") and len(plain) > 10_000
        for server, path, fields in [(self.bare, "/program.ics", {}), (self.nginx, "/program.ics", {}),
                                     (self.ours, "/program.ics", coded), (self.nginx, "/program.ics", coded),
                                     (self.bare, "/program.ics.gz", coded)]:
            status, answered, body = server.ask(path, fields)
            if answered.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            assert (status, body) == (200, plain), f"{server.name} {path} {fields}: {status}"

    def cases(self):
        """Each case: feed, kind of request, and the target at each server."""
        gzipped = {"Accept-Encoding": "gzip"}
        for name, path in [("full", "/program.ics"), ("track", TRACK)]:
            tag = {server.name: {"If-None-Match": server.ask(path)[1]["etag"]}
                   for server in [self.ours, self.bare, self.nginx]}
            everywhere = [self.ours, self.bare, self.nginx]
            yield name, "plain", [Target(server, path) for server in everywhere[:2]]
            yield name, "gzip", [Target(self.ours, path, gzipped), Target(self.nginx, path, gzipped)]
            yield name, "304", [Target(server, path, tag[server.name]) for server in everywhere]
        both = [self.many, self.bare]
        yield "agenda", "plain", [Target(server, paths=self.agenda_paths) for server in both]
        yield "agenda", "304", [Target(server, paths=self.agenda_paths, revalidate=True) for server in both]
        if self.page:
            yield "page", "gzip", [Target(self.ours, "/", gzipped), Target(self.bare, "/page.html.gz", gzipped)]

    def round(self, turn):
        seconds = self.setting.seconds
        for name, kind, targets in self.cases():
            # The order alternates, because the machine warms up and its other load changes.
            order = targets if turn % 2 == 0 else targets[::-1]
            took = {target.server.name: load(target, seconds) for target in order}
            self.note(name, kind, took)
            self.setting.say(f"{name} {kind}: " + ", ".join(
                f"{server} {one['cpu'] * 1e6:.1f} us" for server, one in took.items()))
        self.quarter()
        ours, _ = memory(self.ours.pid)
        nginx = memory(self.nginx.pid)[0] + memory(self.nginx.process.pid)[0]
        self.rows["15"].add(ours / nginx)
        self.rows["15"].note = f"{ours / 2**20:.1f} MiB; nginx, worker and master: {nginx / 2**20:.1f} MiB"

    def note(self, name, kind, took):
        ratio = lambda peer, what="cpu": took["callboard"][what] / max(took[peer][what], 1e-12)
        number = {"full": "", "track": "4."}.get(name)
        if name == "agenda":
            self.rows["5" if kind == "plain" else "6"].add(ratio("bare hyper"))
        elif name == "page":
            self.rows["7"].add(ratio("bare hyper"))
        elif kind == "plain":
            self.rows[f"{number}1"].add(ratio("bare hyper"))
            self.full_rate = took["callboard"]["rate"]
        elif kind == "gzip":
            self.rows[f"{number}2"].add(ratio("nginx"))
        else:
            self.rows[f"{number}3a"].add(ratio("bare hyper"))
            self.rows[f"{number}3b"].add(ratio("nginx", "rate"))

    def quarter(self):
        took = [load(Target(server, TRACK), self.setting.seconds, connections=32, rate=self.full_rate / 4)
                for server in [self.ours, self.bare]]
        self.rows["8"].add(took[0]["p99"] / took[1]["p99"])
        self.rows["8"].note = f"{took[0]['p99'] * 1e3:.2f} ms at {took[0]['rate']:.0f}/s"

    def starts(self, turn):
        """Row 13: each start is one process from its exec to the first bytes of its answer."""
        setting, data = self.setting, self.work / f"start-{turn}"
        took = []
        for _ in range(2):
            server = servers.callboard(setting.callboard, setting.program, setting.config, data, self.work)
            took.append(server.started)
            server.stop()
        peer = servers.bare(setting.bare, self.manifest_file, "/program.ics", self.work)
        peer.stop()
        self.rows["13"].add(took[0] / peer.started)
        self.rows["13b"].add(took[1] / peer.started)
        self.rows["13"].note = f"{took[0] * 1e3:.1f} ms; bare hyper {peer.started * 1e3:.1f} ms"
        subprocess.run(["rm", "-rf", data], check=True)


def measure(setting):
    bench = Bench(setting)
    try:
        bench.start()
        for turn in range(setting.rounds):
            bench.round(turn)
            bench.starts(turn)
    finally:
        bench.stop()
    return list(bench.rows.values())
