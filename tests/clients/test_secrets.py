"""Planted secrets: sends secrets to every route in every place, right and wrong, and then searches everything that
remains for them.

The search covers each encoding that a log or a file might use. It covers the log at its most verbose level (as text and as
JSON), the metrics, refusals, the raw bytes of the data directory, the files of `render`, and the output of the command line.
It excludes the files that give the secrets to the server, and the answers that give a secret to its owner. It also excludes
answers that repeat a filter's value or a search to the client that sent it.
"""

import base64
import os
import re
import socket
import subprocess
import time
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from feeds import ROOT
from organizer import SECRET, Organizer
from server import BINARY, PATIENT

HOOK_SECRET = "a-webhook-secret-of-its-own"
WRONG = "planted-wrong-secret-77"
ROUTES = re.findall(r'^    route\([A-Z]+, +"([^"]+)",', (ROOT / "src/http/route.rs").read_text(), re.MULTILINE)
SAME = {"Sec-Fetch-Site": "same-origin"}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def raw(token: str) -> bytes:
    """The bytes that a token encodes."""
    return base64.b32decode(token[4:36].upper()) if re.match("cb[er]_", token) else token.encode()


def needles(secret: str) -> set[bytes]:
    """Every encoding in which the secret could appear."""
    found = set()
    bare = secret.partition("_")[2] if secret.startswith(("cbe_", "cbr_")) else secret
    for form in {secret.encode(), bare.encode(), bare[:32].encode(), raw(secret)}:
        found |= {form, form.hex().encode(), form.hex().upper().encode()}
        for shift in range(3):  # base 64 within a longer text has three alignments
            inner = base64.b64encode(b"\0" * shift + form)[4 if shift else 0 :].rstrip(b"=")[:-1]
            found |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    found.add("".join(f"%{byte:02X}" for byte in secret.encode()).encode())
    found.add("".join(f"%{byte:02x}" for byte in secret.encode()).encode())
    return {form for form in found if len(form) >= 12}


class Planted:
    def __init__(self, folder: Path):
        (folder / "hook-secret").write_text(f"{HOOK_SECRET}\n")
        hook = f'\n[[webhooks]]\nurl = "http://127.0.0.1:9/hook"\nsecret_file = "{folder}/hook-secret"\n'
        self.folder = folder
        self.operator = f"127.0.0.1:{free_port()}"
        self.organizer = Organizer(folder, hook)
        # The shipped conference is over, so retention would erase agendas at once.
        config = self.organizer.config
        config.write_text(config.read_text().replace("retention_days = 180", "retention_days = 36500"))
        self.organizer.more = (*self.organizer.more, "--operator-listen", self.operator)
        self.organizer.start()
        self.origin = self.organizer.origin
        self.secrets = {"organizer": SECRET, "webhook": HOOK_SECRET, "wrong": WRONG}
        self.said: list[tuple[str, bytes]] = []  # texts that must not contain a secret, with their origin
        self.counted = 0

    def plant(self) -> None:
        """Creates, shares and hands over an agenda, replaces its key, and revokes a link."""
        made = PATIENT.post(f"{self.origin}/api/v1/agendas", json={"picks": []}, timeout=30).json()
        self.secrets |= {"first key": made["edit_key"], "read link": token(made["read_links"][0]["feed"])}
        bearer = {"Authorization": f"Bearer {made['edit_key']}"}
        agenda = f"{self.origin}/api/v1/agenda"
        gone = PATIENT.post(f"{agenda}/links", headers=bearer, timeout=30).json()
        self.secrets["revoked link"] = token(gone["feed"])
        PATIENT.delete(f"{agenda}/links/{gone['n']}", headers=bearer, timeout=30)
        fresh = PATIENT.post(f"{agenda}/key", headers=bearer, timeout=30)
        assert fresh.status_code == 200, fresh.text
        self.secrets["new key"] = fresh.json()["edit_key"]
        cookie = {"Cookie": f"agenda={self.secrets['new key']}", **SAME}
        page = PATIENT.post(f"{self.origin}/agenda/handover", headers=cookie, timeout=30).text
        self.secrets["code"] = re.search(r"/handover/([a-z2-7]{20,})", page)[1]
        signed = PATIENT.post(f"{self.origin}/organizer/session", data={"secret": SECRET}, headers=SAME,
                               allow_redirects=False, timeout=30)  # fmt: skip
        self.secrets["sign-in"] = signed.headers["Set-Cookie"].split(";")[0].partition("=")[2]
        kept = PATIENT.post(f"{self.origin}/api/v1/agendas", json={"picks": []}, timeout=30).json()
        self.secrets |= {"kept key": kept["edit_key"], "kept link": token(kept["read_links"][0]["feed"])}

    def use(self) -> None:
        """Sends each secret where it belongs."""
        key, link = self.secrets["kept key"], self.secrets["kept link"]
        bearer, cookie = {"Authorization": f"Bearer {key}"}, {"Cookie": f"agenda={key}", **SAME}
        session = re.search(r"UID:([^@\r]+)", self.organizer.get("/program.ics").text)[1]
        for method, path, headers in (
            ("PUT", f"/api/v1/agenda/picks/{session}", bearer), ("GET", "/api/v1/agenda", bearer),
            ("GET", "/agenda", cookie), ("POST", "/agenda/name", cookie), ("GET", f"/agendas/{link}.ics", {}),
            ("GET", f"/agendas/{link}", {}), ("GET", f"/agendas/{link}.jcal", {}), ("GET", f"/subscribe/agendas/{link}", {}),
            ("GET", f"/agendas/{link}/changes.atom", {}), ("GET", f"/agendas/{link}.ics?alarm=10m", {}),
            ("PROPFIND", "/dav/agendas/", basic(link)), ("REPORT", "/dav/agendas/agenda/", basic(link)),
            ("GET", f"/agendas/{self.secrets['revoked link']}.ics", {}), ("GET", f"/handover/{self.secrets['code']}", {}),
            ("GET", "/organizer", {"Cookie": f"organizer={self.secrets['sign-in']}"}),
        ):  # fmt: skip
            self.send(method, path, headers, "")
        self.organizer.upload(self.organizer.program.read_bytes().replace(b"Lunch", b"Late lunch"))

    def strew(self) -> None:
        """Sends every secret to every route: in every place at once, and in the path alone."""
        for secret in self.secrets.values():
            for pattern in ROUTES:
                path = re.sub(r"\{[^}]*\}", quote(secret, safe=""), pattern)
                plain = re.sub(r"\{[^}]*\}", "x1", pattern)
                everywhere = {
                    "Authorization": f"Bearer {secret}", "Cookie": f"agenda={secret}x; organizer={secret}x; x={secret}",
                    "Referer": f"http://x.example/{secret}", "User-Agent": secret, "If-None-Match": f'"{secret}"',
                    "X-Forwarded-For": secret, "Content-Type": f"text/x; boundary={secret}", **SAME,
                }  # fmt: skip
                # Destructive requests use a broken key, since the right one would work.
                broken = {**everywhere, "Authorization": f"Bearer {secret}x"}
                self.send("GET", f"{path}?k={secret}", {}, "")
                self.send("GET", f"{plain}?{secret}=1", everywhere, "")
                for method in ("POST", "PUT", "DELETE", "PATCH", "PROPFIND", secret[:30].upper()):
                    self.send(method, f"{plain}?k={secret}", broken, f'x={secret}&["{secret}"]')
                self.send("PUT", plain, basic(secret), secret)
        for secret in self.secrets.values():
            for words in (
                f"GET /{secret}", f"GET /{secret} HTTP/9.9\r\n\r\n", f"{secret}\r\n\r\n", f"GET / HTTP/1.1\r\n{secret}\r\n\r\n",
                f"GET / HTTP/1.1\r\nHost: {secret} {secret}\r\n\r\n", f"GET /%zz{secret} HTTP/1.1\r\nHost: a\r\n\r\n",
                f"POST /agenda/name HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz{secret}\r\n",
                f"GET / HTTP/1.1\r\nHost: a\r\nX: {secret * 800}\r\n\r\n",
                f"CONNECT {secret}:443 HTTP/1.1\r\nHost: a\r\n\r\n",
            ):  # fmt: skip
                self.shout(words)

    def send(self, method: str, path: str, headers: dict[str, str], body: str) -> None:
        address = urlsplit(self.origin)
        connection = HTTPConnection(address.hostname, address.port, timeout=30)
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            # An event stream does not end.
            heard = b"" if response.headers.get_content_type() == "text/event-stream" else response.read()
            self.counted += 1
            if response.status >= 400:
                self.said.append((f"{method} {response.status}", heard + str(response.headers).encode()))
        finally:
            connection.close()

    def shout(self, words: str) -> None:
        with socket.create_connection((urlsplit(self.origin).hostname, urlsplit(self.origin).port), 5) as wire:
            try:
                wire.sendall(words.encode())
                wire.shutdown(socket.SHUT_WR)
                wire.settimeout(2)
                self.said.append(("a broken request", wire.recv(65536)))
            except OSError:
                pass  # the server closed the connection
        self.counted += 1

    def gather(self) -> None:
        """Everything that remains: logs, files, metrics."""
        for path in ("/metrics", "/healthz", "/readyz", f"/{WRONG}?{WRONG}"):
            answer = PATIENT.get(f"http://{self.operator}{path}", headers={"Authorization": WRONG}, timeout=10)
            self.said.append((path, answer.content + str(answer.headers).encode()))
        status = self.organizer.ask("GET", "/organizer/status")
        self.said.append(("/organizer/status", status.content))
        wrong = self.folder / "wrong-secret"
        wrong.write_text(f"{WRONG}\n")
        settings = ["--config", str(self.organizer.config), "--data", str(self.organizer.data)]
        to, program = ["--to", self.origin], str(self.organizer.program)
        right, false = (["--organizer-secret-file", str(file)] for file in (self.organizer.secret, wrong))
        out = str(self.folder / "out")
        for arguments in (
            ["publish", program, *to, *false], ["publish", program, *to, *right], ["diff", program, *to, *false],
            ["diff", program, *to, *right], ["pull", *to, *right], ["pull", *to, *false], ["deliver", "--once", *settings],
            ["publish", program, "--to", f"http://{WRONG}@127.0.0.1:9", *right], ["serve", *settings, f"--x={WRONG}x"[:3]],
            ["render", out, "--program", program, *settings[:2], "--data", str(self.folder / "none")],
        ):  # fmt: skip
            done = subprocess.run([str(BINARY), *arguments], capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
                                  env={**os.environ, "CALLBOARD_LOG": "trace"})  # fmt: skip
            self.said.append((" ".join(arguments[:1]), done.stdout + done.stderr))
        time.sleep(1)
        self.organizer.stop()
        for folder in (self.organizer.data, Path(out)):
            for file in folder.rglob("*"):
                if file.is_file():
                    self.said.append((str(file.relative_to(self.folder)), file.read_bytes()))
        self.said.append(("the log", self.organizer.log.read_bytes()))

    def leaks(self) -> list[tuple[str, str]]:
        wanted = {form: name for name, secret in self.secrets.items() for form in needles(secret)}
        pattern = re.compile(b"|".join(re.escape(form) for form in sorted(wanted, key=len, reverse=True)))
        found = []
        for where, text in self.said:
            for hit in set(pattern.findall(text)):
                at = text.find(hit)
                found.append((where, wanted[hit], text[max(0, at - 60) : at + 60]))
        return found


def basic(secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"me:{secret}".encode()).decode()}


def token(feed: str) -> str:
    return feed.rpartition("/")[2].removesuffix(".ics")


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_remains_anywhere(tmp_path, monkeypatch, form):
    monkeypatch.setenv("CALLBOARD_LOG", "trace")
    monkeypatch.setenv("CALLBOARD_LOG_FORMAT", form)
    planted = Planted(tmp_path)
    try:
        planted.plant()
        planted.use()
        planted.strew()
        planted.gather()
    finally:
        if planted.organizer.process:
            planted.organizer.kill()
    log = dict(planted.said)["the log"]
    assert len(ROUTES) > 80 and planted.counted > 5000 and log.count(b"\n") > 5000
    assert any(where.endswith("db") for where, _ in planted.said), "the store's own file was looked at"
    leaks = planted.leaks()
    assert not leaks, f"{len(leaks)}: {leaks[:5]}"
