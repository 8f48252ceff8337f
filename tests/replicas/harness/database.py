"""A PostgreSQL of its own, and a proxy in front of it that cuts, delays or swallows what passes."""

import glob
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

NOBODY = 65534


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


# The directory with the programs of a newer PostgreSQL than Debian's, if the environment names one.
NEWER = os.environ.get("CALLBOARD_POSTGRES")


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))
    if not found:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    return os.path.dirname(found[-1])


def unprivileged():
    """What makes a child process a user that PostgreSQL accepts, which root is not."""
    if os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


class Database:
    def __init__(self, directory, bin=None):
        self.bin, self.port = bin or programs(), free_port()
        self.directory = directory
        os.mkdir(directory)
        if os.geteuid() == 0:
            os.chown(directory, NOBODY, NOBODY)
        self.data = os.path.join(directory, "data")
        command = [f"{self.bin}/initdb", "--username=callboard", "--auth=trust", "--no-sync", "--encoding=UTF8"]
        subprocess.run([*command, "--pgdata", self.data], check=True, stdout=subprocess.DEVNULL, cwd="/", **unprivileged())
        self.process = None
        self.start()

    # The addresses to listen on.
    addresses = "127.0.0.1"

    def start(self):
        options = ["-p", str(self.port), "-c", f"listen_addresses={self.addresses}", "-c", "unix_socket_directories="]
        self.log = open(os.path.join(self.directory, "log"), "ab")
        self.process = subprocess.Popen(
            [f"{self.bin}/postgres", "-D", self.data, *options, "-c", "max_connections=100"],
            stdout=self.log, stderr=self.log, cwd="/", **unprivileged(),
        )
        deadline = time.monotonic() + 30
        while self.query("SELECT 1") is None:
            if time.monotonic() > deadline:
                raise SystemExit(f"PostgreSQL does not start, see {self.directory}/log")
            time.sleep(0.05)

    def standby(self, directory, synchronous):
        """A streaming standby of this one."""
        other = object.__new__(Database)
        other.bin, other.port, other.directory = self.bin, free_port(), directory
        os.mkdir(directory)
        if os.geteuid() == 0:
            os.chown(directory, NOBODY, NOBODY)
        other.data = os.path.join(directory, "data")
        command = [f"{self.bin}/pg_basebackup", "-h", "127.0.0.1", "-p", str(self.port), "-U", "callboard"]
        subprocess.run(
            [*command, "-D", other.data, "-R", "-X", "stream", "-c", "fast"], check=True, cwd="/", **unprivileged()
        )
        other.start()
        if synchronous:
            self.query("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self.query("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 20
        wanted = "sync" if synchronous else "async"
        while self.query("SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'") != wanted:
            if time.monotonic() > deadline:
                raise SystemExit(f"the standby does not stream, see {directory}/log")
            time.sleep(0.05)
        return other

    def promote(self):
        self.query("SELECT pg_promote(false)")

    def stop(self):
        """Stops it at once, without a checkpoint, as a crash would."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def pause(self, seconds):
        self.everyone(signal.SIGSTOP)
        time.sleep(seconds)
        self.everyone(signal.SIGCONT)

    def everyone(self, number):
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True).stdout.split()
        for pid in [str(self.process.pid), *children]:
            try:
                os.kill(int(pid), number)
            except ProcessLookupError:
                pass

    def query(self, statement):
        """The answer's text; None if the database cannot be reached."""
        command = [f"{self.bin}/psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "callboard", "-d", "postgres"]
        done = subprocess.run([*command, "-qAt", "-c", statement], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None

    def remove(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)


class Proxy:
    """Passes connections on to a port, with the faults that `misbehave` sets."""

    def __init__(self, target):
        self.target, self.mode, self.delay = target, "pass", 0.0
        self.pairs, self.lock = set(), threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            try:
                if self.mode == "cut":
                    raise OSError("cut")
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            pair = (client, server)
            with self.lock:
                self.pairs.add(pair)
            for source, sink, is_reply in ((client, server, False), (server, client, True)):
                threading.Thread(target=self.pump, args=(pair, source, sink, is_reply), daemon=True).start()

    def pump(self, pair, source, sink, is_reply):
        try:
            while data := source.recv(65536):
                # A connection that is half-open swallows everything; one with lost replies only what comes back.
                if self.mode == "half-open" or self.mode == "lost-replies" and is_reply:
                    continue
                if self.delay:
                    time.sleep(self.delay)
                sink.sendall(data)
        except OSError:
            pass
        self.close(pair)

    def close(self, pair):
        with self.lock:
            self.pairs.discard(pair)
        for end in pair:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def cut(self):
        """Closes all connections. New ones are accepted."""
        with self.lock:
            pairs = list(self.pairs)
        for pair in pairs:
            self.close(pair)

    def misbehave(self, mode, seconds):
        self.mode = mode
        if mode == "cut":
            self.cut()
        time.sleep(seconds)
        self.mode = "pass"
        # What was swallowed never arrives, so these connections are of no use.
        self.cut()
