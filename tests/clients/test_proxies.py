"""The sample reverse proxies, as shipped, in front of a real server: no read link, hand-over code or key reaches their logs,
in any form."""

import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.parse
from pathlib import Path

import pytest
import requests

from feeds import ROOT
from server import Server

CODE = "ohandovercodeohandovercode"
ROUTES = re.findall(r'route\([A-Z]+, +"(/[^"]*)"', (ROOT / "src" / "http" / "route.rs").read_text())
SECRET_PARAMETERS = {"{read}", "{members}", "{code}", "{link}", "{*feed}", "{*rest}"}
PUBLIC_PARAMETERS = {
    "{track}": "track-1", "{date}": "2025-03-25", "{room}": "room-1", "{speaker}": "dan-fainstein", "{id}": "welcome",
    "{session}": "welcome", "{n}": "1", "{calendar}": "program", "{name}": "style.css", "{device}": "0" * 24,
    "{digest}": "0" * 64,
}  # fmt: skip


class Proxy:
    """A proxy with one of the samples, adapted to run on this machine instead of conf.example.org."""

    # The status while Callboard does not answer.
    unreachable = 502

    def __init__(self, home: Path, upstream: str):
        self.home, self.upstream, self.process = home, upstream, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self) -> None:
        with open(self.home / "output", "wb") as output:
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        for _ in range(200):
            assert self.process.poll() is None, self.logs()
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"it does not listen: {self.logs()}")

    def stop(self) -> None:
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)

    def sample(self, name: str, *changes: tuple[str, str]) -> str:
        text = (ROOT / "config" / name).read_text()
        for old, new in changes:
            assert re.search(old, text), f"{name} has no {old}"
            text = re.sub(old, new, text)
        return text

    def send(self, request_line: str, headers: str = "") -> int:
        """Sends one request unchanged and returns the status; 0 if the connection is closed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as stream:
            stream.sendall(f"{request_line}\r\nHost: conf.example.org\r\nConnection: close\r\n{headers}\r\n".encode())
            answer = b""
            while b"\r\n" not in answer:
                part = stream.recv(4096)
                if not part:
                    break
                answer += part
        status = re.match(rb"HTTP/\S+ (\d+)", answer)
        return int(status[1]) if status else 0

    def logs(self) -> str:
        """All output of the proxy."""
        files = [file for file in sorted(self.home.rglob("*")) if file.is_file() and file.name != "config"]
        return "\n".join(file.read_text(errors="replace") for file in files)


class Nginx(Proxy):
    binary = "/usr/sbin/nginx"

    def command(self) -> list[str]:
        for directory in ("log", "temporary"):
            (self.home / directory).mkdir(exist_ok=True)
        sample = self.sample(
            "nginx.conf",
            (r"listen 443 ssl http2;", f"listen 127.0.0.1:{self.port};"),
            (r"ssl_certificate.*\n", ""),
            (r"127\.0\.0\.1:8080", self.upstream),
            (r"/var/log/nginx", str(self.home / "log")),
        )
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = "".join(f"{kind}_temp_path {self.home}/temporary;\n" for kind in kinds)
        # The log settings of Debian's nginx.conf.
        main = f"daemon off; user root; pid {self.home}/pid; error_log {self.home}/log/error.log;\n"
        log = f"access_log {self.home}/log/access.log; error_log {self.home}/log/error.log;\n"
        config = self.home / "config"
        config.write_text(f"{main}events {{}}\nhttp {{\n{places}{log}{sample}}}\n")
        return [self.binary, "-c", str(config), "-p", str(self.home), "-e", str(self.home / "log" / "error.log")]


class Caddy(Proxy):
    binary = "/usr/bin/caddy"

    def command(self) -> list[str]:
        config = self.home / "config"
        config.write_text(self.sample(
            "Caddyfile",
            (r"(?m)^conf\.example\.org", f"http://127.0.0.1:{self.port}, http://conf.example.org:{self.port}"),
            (r"127\.0\.0\.1:8080", self.upstream),
            (r"/var/log/caddy", str(self.home / "log")),
            (r"(?m)^\{$", "{\n\tadmin off\n\tauto_https off"),
        ))  # fmt: skip
        home = ["env", f"HOME={self.home}", f"XDG_CONFIG_HOME={self.home}", f"XDG_DATA_HOME={self.home}"]
        return [*home, self.binary, "run", "--adapter", "caddyfile", "--config", str(config)]


class Haproxy(Proxy):
    """The sample for replicas, with one server. tests/replicas runs it with three."""

    binary = "/usr/sbin/haproxy"
    unreachable = 503

    def command(self) -> list[str]:
        config = self.home / "config"
        config.write_text(self.sample(
            "haproxy-replicas.cfg",
            (r"log /dev/log local0", "log stdout format raw local0"),
            (r"bind :443 .*", f"bind 127.0.0.1:{self.port}"),
            (r"(?m)^    retries 3", "    retries 0"),  # each waits a second if there is no other replica
            (r"(?m)^    option httpchk.*\n", ""),
            (r"check port 9090.*", "no-check"),
            (r"a\.internal:8080", self.upstream),
            (r"(?m)^    server [bc] .*\n", ""),
        ))  # fmt: skip
        return [self.binary, "-db", "-f", str(config)]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server") / "data")
    server.start()
    yield server
    server.kill()


@pytest.fixture(params=[Nginx, Caddy, Haproxy], ids=lambda proxy: proxy.__name__.lower())
def proxy(request, tmp_path, server):
    if not shutil.which(request.param.binary):
        pytest.skip(f"{request.param.__name__} is not installed")
    proxy = request.param(tmp_path, server.listen)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture(scope="module")
def token(server) -> str:
    """The read link of a real agenda."""
    made = requests.post(server.origin + "/api/v1/agendas", json={}, timeout=30)
    assert made.status_code == 201, made.text
    found = re.search(r"cbr_[a-z0-9]+", made.text)
    if not found:
        key = re.search(r"cbe_[a-z0-9]+", made.text)[0]
        links = requests.post(server.origin + "/api/v1/agenda/links", json={}, timeout=30, headers={"Authorization": f"Bearer {key}"})
        found = re.search(r"cbr_[a-z0-9]+", links.text)
    return found[0]


def private_paths(token: str) -> list[str]:
    """Every path of the route table with a secret."""
    paths = []
    for route in ROUTES:
        parameters = set(re.findall(r"\{[^}]*\}", route))
        assert parameters <= SECRET_PARAMETERS | set(PUBLIC_PARAMETERS), f"say whether {route} holds a secret"
        if parameters & SECRET_PARAMETERS:
            path = route.replace("{read}", token).replace("{members}", f"{token},{token}").replace("{code}", CODE).replace("{link}", CODE)
            paths.append(path.replace("{*feed}", f"agendas/{token}").replace("{*rest}", f"agendas/{token}"))
    assert any("/api/v1/agendas/" in path for path in paths) and any("/team/" in path for path in paths)
    return [*paths, f"/subscribe/team/{token},{token}", f"/dav/agendas/{token}/", f"/organizer/{token}"]


def public_paths() -> list[str]:
    paths = []
    for route in ROUTES:
        for parameter, value in PUBLIC_PARAMETERS.items():
            route = route.replace(parameter, value)
        if "{" not in route and not route.startswith(("/organizer/", "/dav/", "/api/v1/agenda", "/agenda/", "/.well-known")):
            paths.append(route)
    return paths


def forms(path: str) -> list[str]:
    """The ways to write a path on a request line."""
    first, rest = path[1], path[2:]
    last, head = path.rsplit("/", 1)[1] or "x", path.rsplit("/", 1)[0]
    # A read link in the place of a public name. A hand-over code looks like such a name and is not tested there.
    misplaced = [f"/tracks/{last}", f"/assets/{last}.css", f"/{last}.ics", f"/{last}"] if last != CODE else []
    every = "".join(f"%{ord(letter):02x}" for letter in last)
    return [
        path, f"/%{ord(first):02x}{rest}", f"/%{ord(first):02X}{rest}", path.replace("_", "%5F"), f"/{path}", path.replace("/", "//"),
        f"/.{path}", f"/tracks/..{path}", f"/tracks/%2e%2e{path}", f"/tracks/%252e%252e{path}", f"/tracks{path}",
        f"/tracks/x%2F..{path}", path.replace("/", "%2F")[3:].join(["/", ""]), f"{head}/{every}", f"{path}/", f"{path};a=b",
        f"{path}?a=b", f"/program.ics?feed={path}", f"/?{path}", f"/program.ics{path}", f"/program.ics;{last}", *misplaced,
        f"http://conf.example.org{path}", f"{path.upper()}", f"{path}%0a", f"{path}%00",
        f"/program.ics%3f{path}", f"/program.ics%0a{path}", f"/program.ics#{path}",
    ]  # fmt: skip


def leaks(logs: str, token: str) -> list[str]:
    """The log lines with a secret, plain or encoded."""
    secrets = [token.removeprefix("cbr_"), CODE]

    def decoded(line: str) -> str:
        for _ in range(3):
            line = urllib.parse.unquote(line)
        return line.lower()

    return [line for line in logs.splitlines() if any(secret in decoded(line) for secret in secrets)]


def test_no_form_of_a_private_path_is_logged(proxy, token):
    answers = [proxy.send(f"GET {form} HTTP/1.1") for path in private_paths(token) for form in forms(path)]
    assert answers.count(200) >= 20, "the paths are not those of the agenda"
    time.sleep(0.5)
    assert leaks(proxy.logs(), token) == []


def test_headers_and_query_of_a_request_are_not_logged(proxy, token):
    headers = (
        f"Referer: https://conf.example.org/agendas/{token}\r\nCookie: agenda={token}\r\nAuthorization: Bearer {token}\r\n"
        f"X-Forwarded-For: {token}\r\nUser-Agent: {token}\r\nOrigin: https://{token}.example.org\r\n"
    )  # fmt: skip
    for line in ["GET / HTTP/1.1", f"PROPFIND /dav/agendas/{token}/ HTTP/1.1", f"{token} / HTTP/1.1", f"GET /agendas/{token}"]:
        proxy.send(line, headers)
    proxy.send(f"GET /agendas/{token} with spaces HTTP/1.1", headers)
    proxy.send(f"GET /agendas/{token} HTTP/9.9", headers)
    proxy.send(f"GET /agendas/{token}{'x' * 40_000} HTTP/1.1")
    proxy.send("GET / HTTP/1.1", f"X: {token}{'x' * 40_000}\r\n")
    proxy.send(f"POST /handover/{CODE} HTTP/1.1", f"Content-Length: {22 << 20}\r\n")
    time.sleep(0.5)
    assert leaks(proxy.logs(), token) == []


def test_errors_are_logged_without_secrets(tmp_path, proxy, token):
    """First the server is down; later the proxy cannot store a body either."""
    proxy.stop()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        proxy.upstream = f"127.0.0.1:{free.getsockname()[1]}"
    proxy.start()
    referer = f"Referer: https://conf.example.org/agendas/{token}\r\n"
    for path in private_paths(token):
        assert proxy.send(f"GET {path} HTTP/1.1", referer) == proxy.unreachable
    assert proxy.send("GET /program.ics HTTP/1.1", referer) == proxy.unreachable
    shutil.rmtree(tmp_path / "temporary", ignore_errors=True)
    proxy.send(f"POST /handover/{CODE} HTTP/1.1", f"{referer}Content-Length: 200000\r\n\r\n{'x' * 200_000}")
    time.sleep(0.5)
    assert leaks(proxy.logs(), token) == []
    assert str(proxy.unreachable) in proxy.logs(), "the log does not show that the server is gone"


def test_events_arrive_at_once(proxy, server):
    def first(origin: str) -> bytes:
        with requests.get(origin + "/events", stream=True, timeout=10) as answer:
            assert answer.status_code == 200
            return next(answer.iter_content(None))

    assert first(f"http://127.0.0.1:{proxy.port}") == first(server.origin)


def test_public_paths_are_logged(proxy):
    """An empty log would pass all other tests."""
    for path in public_paths():
        proxy.send(f"GET {path}?a=b HTTP/1.1")
    time.sleep(0.5)
    logs = proxy.logs()
    missing = [path for path in public_paths() if f" {path}\"" not in logs and f'"uri":"{path}"' not in logs]
    assert missing == []
    assert "a=b" not in logs


def test_the_kind_of_a_private_path_is_logged(proxy, token):
    proxy.send(f"GET /agendas/{token}.ics HTTP/1.1")
    time.sleep(0.5)
    assert re.search(r'(?:GET /agendas/-" 200|"uri":"/agendas/".*"status":200)', proxy.logs())
