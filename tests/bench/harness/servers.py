"""Starts the servers on a core of their own, waits until they answer, and stops them."""

import http.client
import os
import signal
import socket
import subprocess
import time

from .machine import SERVER_CORE, cpu_seconds, pinned

HOST = "127.0.0.1"
PUBLIC_URL = "https://conf.example.test"


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def ask(port, path, headers=None, method="GET", timeout=60):
    """Status, fields and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request(method, path, headers={"Host": "localhost", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


class Server:
    """A server process. `started` is the number of seconds from its start to its first answer."""

    def __init__(self, name, command, port, path, patience=300, core=SERVER_CORE, **options):
        self.name, self.port = name, port
        self.log = open(options.pop("log"), "ab")
        begin = time.perf_counter()
        command = pinned(core, command) if core is not None else list(map(str, command))
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, **options)
        self.first_status = self._await(path, begin + patience)
        self.started = time.perf_counter() - begin

    @property
    def pid(self):
        return self.process.pid

    def _await(self, path, deadline):
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        while time.perf_counter() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.name} ended with {self.process.returncode}, see {self.log.name}")
            try:
                # A plain socket, because http.client takes longer than the measured start.
                with socket.create_connection((HOST, self.port), timeout=60) as connection:
                    connection.sendall(request)
                    head = connection.recv(64)
                    if head:
                        return int(head.split()[1])
            except OSError:
                time.sleep(0.0002)
        raise RuntimeError(f"{self.name} did not answer in time, see {self.log.name}")

    def ask(self, path, headers=None, method="GET"):
        return ask(self.port, path, headers, method)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def config(root, work):
    """The shipped config, but it keeps the agendas of the past conference, and has practically no limit on changes of an
    agenda."""
    kept = (root / "config" / "callboard.toml").read_text(encoding="utf-8")
    for line, other in [
        ("retention_days = 180", "retention_days = 36500"),
        ("agenda_changes_at_once = 1000\n", "agenda_changes_at_once = 100000000\n"),
    ]:
        assert line in kept, f"the shipped config has no {line}"
        kept = kept.replace(line, other)
    (work / "callboard.toml").write_text(kept, encoding="utf-8")
    return work / "callboard.toml"


def callboard(binary, program, config, data, work, path="/program.ics", under=(), public_url=PUBLIC_URL,
              **options):
    """Callboard; `under` is a command that runs it, such as valgrind. It logs only warnings, because the other servers
    write no access log."""
    port = free_port()
    command = [*under, binary, "serve", "--listen", f"{HOST}:{port}", "--program", program, "--config", config,
               "--data", data, "--public-url", public_url]
    return Server("callboard", command, port, path, cwd=work, env={**os.environ, "CALLBOARD_LOG": "warn"},
                  log=work / "callboard.log", **options)


def bare(binary, manifest, path, work, under=(), **options):
    """Bare hyper, which serves the bodies that a manifest lists."""
    port = free_port()
    return Server("bare hyper", [*under, binary, f"{HOST}:{port}", manifest], port, path, log=work / "bare.log",
                  **options)


NGINX = """
daemon off;
{user}worker_processes 1;
pid {work}/nginx.pid;
error_log {work}/nginx-error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush off;
    tcp_nodelay on;
    keepalive_requests 100000000;
    open_file_cache max=1000 inactive=60s;
    open_file_cache_valid 60s;
    open_file_cache_min_uses 1;
    gzip_static on;
    types {{ text/calendar ics; text/html html; }}
    client_body_temp_path {work}/nginx-body;
    proxy_temp_path {work}/nginx-proxy;
    fastcgi_temp_path {work}/nginx-fastcgi;
    uwsgi_temp_path {work}/nginx-uwsgi;
    scgi_temp_path {work}/nginx-scgi;
    server {{ listen {host}:{port}; root {root}; }}
}}
"""


def wait_until_idle(server, seconds=1.5):
    """Waits until a server uses almost no CPU, so that its background compression is done."""
    last = -1.0
    while (now := cpu_seconds(server.pid)) - last > seconds / 75:
        last = now
        time.sleep(seconds)


class Nginx(Server):
    """Debian's nginx over a directory. The measured process is its one worker, not the master."""

    def __init__(self, root, path, work):
        port = free_port()
        config = work / "nginx.conf"
        # Started by root, the worker would otherwise change to another user, who cannot read the files.
        user = "user root;\n" if os.geteuid() == 0 else ""
        text = NGINX.format(user=user, work=work, host=HOST, port=port, root=root)
        config.write_text(text, encoding="utf-8")
        super().__init__("nginx", ["nginx", "-p", work, "-c", config], port, path, log=work / "nginx.log")

    @property
    def pid(self):
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as children:
            return int(children.read().split()[0])
