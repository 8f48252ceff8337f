"""Rows 50 to 55: what a shared journal on PostgreSQL costs, compared with a local one on the same disk."""

import importlib.util
import subprocess
import threading

from . import servers
from .feeds import await_best
from .load import Target, load
from .machine import LOAD_CORE, pinned
from .table import Row

# As many clients as in row 18.
CLIENTS = 64


def rows():
    return {row.number: row for row in [
        Row("50", "full feed, gzip: CPU with a shared journal / a local one", 1.02),
        Row("51", "agenda of 10, 304: CPU with a shared journal / a local one", 1.02),
        Row("52", "picks/s of 64 clients on one replica / on a local journal", 0.5, at_least=True),
        Row("53", "picks/s of three replicas with 64 clients each / of one", 0.9, at_least=True),
        Row("54", "p99 of a pick with 64 clients on one replica / p99 of an insert with 64 clients", 5),
        Row("55a", "p99 of agenda feeds with the database stopped / with it running", 1.2),
        Row("55b", "the same, after a restart of the replica without it", 1.2),
    ]}


def postgres(setting):
    """The PostgreSQL of tests/replicas, in the working directory."""
    path = setting.program.parent / "tests" / "replicas" / "harness" / "database.py"
    spec = importlib.util.spec_from_file_location("replicas_database", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # PostgreSQL runs as another user if the benchmark runs as root.
    setting.work.chmod(0o755)
    return module.Database(str(setting.work / "postgres"))


class Bench:
    def __init__(self, setting, database):
        self.setting, self.rows, self.database = setting, rows(), database
        self.work, self.closing = setting.work / "replicas", []
        self.work.mkdir()
        self.shared = self.work / "shared.toml"
        own = setting.config.read_text(encoding="utf-8")
        # A replica's name is the machine's by default; these are on one machine.
        self.shared.write_text(f'database = "postgresql://callboard@127.0.0.1:{database.port}/postgres"\n{own}', encoding="utf-8")

    def replica(self, name, **options):
        config = self.work / f"{name}.toml"
        config.write_text(f'replica = "{name}"\n{self.shared.read_text(encoding="utf-8")}', encoding="utf-8")
        return self.keep(servers.callboard(
            self.setting.callboard, self.setting.program, config, self.work / name, self.work, **options))

    def keep(self, server):
        self.closing.append(server)
        return server

    def stop(self):
        for server in reversed(self.closing):
            server.stop()
        self.closing = []

    def feeds(self):
        """Two servers with the same agendas, one of which has its journal in the database."""
        setting, tokens = self.setting, self.work / "tokens"
        local, copy = self.work / "local", self.work / "a"
        servers.callboard(setting.callboard, setting.program, setting.config, local, self.work).stop()
        setting.tool("agendas", local, "srecon25americas", setting.agendas, tokens)
        subprocess.run(["cp", "-a", local, copy], check=True)
        command = [setting.callboard, "move", "--to-database", "--config", self.shared, "--data", copy]
        subprocess.run(command, check=True, capture_output=True, cwd=self.work)
        both = [
            self.keep(servers.callboard(setting.callboard, setting.program, setting.config, local, self.work)),
            self.replica("a"),
        ]
        paths = self.work / "paths"
        read = tokens.read_text(encoding="utf-8").split()
        lines = []
        for token in read[:: max(1, len(read) // 500)]:
            path = f"/agendas/{token}.ics"
            tags = {server.ask(path)[1]["etag"] for server in both}
            assert len(tags) == 1, f"{path} differs"
            lines.append(f"{path}\t{tags.pop()}\n")
        paths.write_text("".join(lines), encoding="utf-8")
        for server in both:
            servers.wait_until_idle(server)
            await_best(server, "/program.ics")
        for turn in range(setting.rounds):
            both = self.closing[-2:]
            cases = [
                ("50", [Target(server, "/program.ics", {"Accept-Encoding": "gzip"}) for server in both]),
                ("51", [Target(server, paths=paths, revalidate=True) for server in both]),
            ]
            for number, targets in cases:
                order = targets if turn % 2 == 0 else targets[::-1]
                took = {target.server: load(target, setting.seconds)["cpu"] for target in order}
                own, shared = (took[target.server] for target in targets)
                self.rows[number].add(shared / max(own, 1e-12))
                self.rows[number].note = f"{shared * 1e6:.1f} us / {own * 1e6:.1f} us"
            self.without_database(paths)
        self.stop()

    def without_database(self, paths):
        """Stops the database, and later the replica too, under a light load of agenda feeds."""
        seconds = self.setting.seconds
        late = lambda: load(Target(self.closing[-1], paths=paths), seconds, connections=16, rate=500)["p99"]
        # Before each measurement, since a server that was just started renders each agenda once.
        warm = lambda: [self.closing[-1].ask(line.split("\t")[0]) for line in paths.read_text(encoding="utf-8").splitlines()]
        warm()
        running = late()
        self.database.stop()
        stopped = late()
        self.closing.pop().stop()
        self.replica("a")
        servers.wait_until_idle(self.closing[-1])
        await_best(self.closing[-1], "/program.ics")
        warm()
        restarted = late()
        self.database.start()
        # The next round begins with a server that has its database, and that has compressed its feeds.
        self.closing.pop().stop()
        self.replica("a")
        servers.wait_until_idle(self.closing[-1])
        await_best(self.closing[-1], "/program.ics")
        self.rows["55a"].add(stopped / running)
        self.rows["55b"].add(restarted / running)
        self.rows["55a"].note = f"{stopped * 1e3:.2f} ms / {running * 1e3:.2f} ms"
        self.rows["55b"].note = f"{restarted * 1e3:.2f} ms"

    def inserts(self):
        """The p99 in seconds of an insert of a row as long as an agenda's entry, by as many clients as pick."""
        self.database.query("CREATE TABLE IF NOT EXISTS bench (id bigserial PRIMARY KEY, body bytea)")
        script, log = self.work / "insert.sql", self.work / "inserts"
        script.write_text("INSERT INTO bench (body) VALUES (decode(repeat('5a', 400), 'hex'));\n", encoding="utf-8")
        command = [
            f"{self.database.bin}/pgbench", "-n", "-h", "127.0.0.1", "-p", self.database.port, "-U", "callboard",
            "-c", CLIENTS, "-T", self.setting.seconds, "-M", "prepared", "-f", script, "-l", f"--log-prefix={log}", "postgres",
        ]
        done = subprocess.run(pinned(LOAD_CORE, command), capture_output=True, text=True, check=False, cwd=self.work)
        if done.returncode != 0:
            raise RuntimeError(f"pgbench failed: {done.stderr}")
        took = []
        for file in self.work.glob("inserts.*"):
            # client, transaction, microseconds, script, seconds, microseconds
            took += [int(line.split()[2]) for line in file.read_text(encoding="utf-8").splitlines()]
            file.unlink()
        return sorted(took)[len(took) * 99 // 100] / 1e6

    def pick(self, server):
        return self.setting.tool("picks", f"127.0.0.1:{server.port}", CLIENTS, self.setting.seconds)

    def picks(self):
        setting = self.setting
        local = self.keep(servers.callboard(
            setting.callboard, setting.program, setting.config, self.work / "own", self.work, core=None))
        replicas = [self.replica(name, core=None) for name in ("one", "two", "three")]
        # A server that was just started compresses feeds in the background.
        for server in [local, *replicas]:
            await_best(server, "/program.ics")
            servers.wait_until_idle(server)
        for turn in range(setting.rounds):
            order = [local, replicas[0]] if turn % 2 == 0 else [replicas[0], local]
            insert = self.inserts()
            took = {server: self.pick(server) for server in order}
            own, one = took[local], took[replicas[0]]
            found = [None] * len(replicas)

            def work(n):
                found[n] = self.pick(replicas[n])

            threads = [threading.Thread(target=work, args=(n,)) for n in range(len(replicas))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if None in found:
                raise RuntimeError("the picks on three replicas failed")
            together = sum(one["rate"] for one in found)
            self.rows["52"].add(one["rate"] / own["rate"])
            self.rows["52"].note = f"{one['rate']:.0f}/s / {own['rate']:.0f}/s"
            self.rows["53"].add(together / one["rate"])
            self.rows["53"].note = f"{together:.0f}/s"
            self.rows["54"].add(one["p99_s"] / insert)
            self.rows["54"].note = f"{one['p99_s'] * 1e3:.1f} ms / {insert * 1e3:.1f} ms"
        self.stop()


def measure(setting):
    database = postgres(setting)
    bench = Bench(setting, database)
    try:
        bench.feeds()
        bench.picks()
    finally:
        bench.stop()
        database.remove()
    return list(bench.rows.values())
