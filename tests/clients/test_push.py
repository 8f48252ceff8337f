"""Messages to browsers, received by a push service that decrypts them with independent libraries: what a device reads, what
each answer means, where no connection goes, and that a killed sender loses nothing."""

import base64
import datetime
import email.utils
import json
import os
import re
import signal
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_ece
import pytest
import requests
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from deliveries import Sender, deliver, publish, wait_for, waiting
from organizer import Organizer

# Changes of sessions that are over send no message.
DAY = (datetime.date.today() + datetime.timedelta(days=30)).isoformat()

WEBDAV_PUSH = "https://bitfire.at/webdav-push"

CONTACT = "mailto:desk@conf.example.org"


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Device:
    """The keys of a browser."""

    def __init__(self):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)

    def subscription(self, endpoint: str) -> dict:
        point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": encoded(point), "auth": encoded(self.auth)}
        return {"channel": "web-push", "endpoint": endpoint, "expirationTime": None, "keys": keys}

    def read(self, body: bytes) -> dict:
        return json.loads(self.decrypt(body))

    def decrypt(self, body: bytes) -> bytes:
        return http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm")

    def register(self, endpoint: str) -> str:
        """The body with which DAVx5 subscribes to a calendar for three days."""
        keys = self.subscription(endpoint)["keys"]
        expires = email.utils.formatdate(time.time() + 3 * 86_400, usegmt=True)
        return (
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes" ?><n0:push-register xmlns:n0="{WEBDAV_PUSH}">'
            f"<n0:subscription><n0:web-push-subscription><n0:push-resource>{endpoint}</n0:push-resource>"
            f'<n0:subscription-public-key type="p256dh">{keys["p256dh"]}</n0:subscription-public-key>'
            f"<n0:auth-secret>{keys['auth']}</n0:auth-secret></n0:web-push-subscription></n0:subscription>"
            f"<n0:expires>{expires}</n0:expires></n0:push-register>"
        )


class PushService:
    """Receives messages, and answers with the given statuses in turn, then always with the last."""

    def __init__(self):
        self.calls: list[tuple[str, dict[str, str], bytes]] = []
        self.statuses = [201]
        self.retry_after: str | None = None
        self.delay = 0.0
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(service.delay)
                service.calls.append((self.path, dict(self.headers), body))
                status = service.statuses.pop(0) if len(service.statuses) > 1 else service.statuses[0]
                if status == 0:  # the connection is cut
                    self.close_connection = True
                    return
                self.send_response(status)
                if status == 307:
                    self.send_header("Location", f"http://127.0.0.1:{service.port}/redirected")
                if service.retry_after and status >= 400:
                    self.send_header("Retry-After", service.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.port = self.server.server_port
        self.origin = f"http://127.0.0.1:{self.port}"


@pytest.fixture
def service():
    service = PushService()
    yield service
    service.server.shutdown()


def started(home, networks: str) -> Organizer:
    organizer = Organizer(home, f'\n[push]\ncontact = "{CONTACT}"\nallow_networks = {networks}\n')
    organizer.start()
    return organizer


@pytest.fixture
def organizer(tmp_path):
    organizer = started(tmp_path, '["127.0.0.1"]')
    yield organizer
    organizer.kill()


class Attendee:
    def __init__(self, organizer: Organizer, picks: list[str]):
        self.api = organizer.origin + "/api/v1"
        made = requests.post(f"{self.api}/agendas", json={"picks": picks}, timeout=10)
        self.headers = {"Authorization": f"Bearer {made.json()['edit_key']}"}

    def subscribe(self, endpoint: str) -> Device:
        device = Device()
        answer = self.ask("POST", device.subscription(endpoint))
        assert answer.status_code == 201, answer.text
        return device

    def ask(self, method: str, body: dict | None = None) -> requests.Response:
        url = f"{self.api}/agenda/subscriptions"
        return requests.request(method, url, json=body, headers=self.headers, timeout=10)

    def devices(self) -> int:
        return len(self.ask("GET").json())


def check_vapid(field: str, service: PushService, key: str) -> None:
    """RFC 8292: signed with the key that browsers subscribe with, for this origin, and valid for less than a day."""
    scheme, token, public = re.fullmatch(r"(vapid) t=([\w.-]+), k=([\w-]+)", field).groups()
    assert (scheme, public) == ("vapid", key)
    head, claims, signature = token.split(".")
    assert json.loads(decoded(head)) == {"typ": "JWT", "alg": "ES256"}
    claims_read, raw = json.loads(decoded(claims)), decoded(signature)
    assert claims_read["aud"] == service.origin and claims_read["sub"] == CONTACT
    assert 11 * 3600 < claims_read["exp"] - time.time() < 13 * 3600
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(public))
    signed = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    point.verify(signed, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


def test_a_moved_session_is_read_by_the_devices_that_have_it(organizer, service):
    key = requests.get(organizer.origin + "/api/v1/push-key", timeout=10).json()["key"]
    mine = Attendee(organizer, ["slow-queries"])
    devices = {f"/send/{n}": mine.subscribe(f"{service.origin}/send/{n}") for n in range(2)}
    Attendee(organizer, ["live-laugh-log"]).subscribe(f"{service.origin}/send/other")
    publish(organizer, DAY)
    assert "2 delivered, 0 waiting, 0 given up" in deliver(organizer)
    assert sorted(path for path, _, _ in service.calls) == sorted(devices)
    for path, headers, body in service.calls:
        check_vapid(headers["authorization"], service, key)
        assert headers["content-encoding"] == "aes128gcm" and len(body) <= 4096
        assert 0 < int(headers["ttl"]) <= 86_400 and headers["urgency"] in ("high", "normal")
        assert re.fullmatch(r"[\w-]{32}", headers["topic"])
        message = devices[path].read(body)
        assert message["web_push"] == 8030
        told = message["notification"]
        assert told["navigate"] == f"{organizer.origin}/sessions/slow-queries"
        assert ": moved to " in told["title"] and told["body"].startswith("Moved from Tue, Mar 25"), told
        with pytest.raises(Exception):
            Device().read(body)
    assert "0 delivered" in deliver(organizer)


@pytest.mark.parametrize("status, is_waiting, is_ended", [
    (201, False, False), (404, False, True), (410, False, True), (413, False, False), (307, False, False),
    (403, True, False), (429, True, False), (500, True, False), (0, True, False),
])  # fmt: skip
def test_each_answer_has_its_outcome(organizer, service, status, is_waiting, is_ended):
    service.statuses, service.retry_after = [status], "3600"
    mine = Attendee(organizer, ["slow-queries"])
    mine.subscribe(f"{service.origin}/send/1")
    publish(organizer, DAY)
    deliver(organizer, exit_code=1 if status in (413, 307) else 0)
    # A connection that was cut names no pause, so on a busy machine its retry may be due before the command ends.
    assert len(service.calls) == 1 or status == 0, "redirects are not followed, and a pause is kept"
    assert waiting(organizer) == is_waiting
    assert mine.devices() == (0 if is_ended else 1)


def test_a_name_that_resolves_to_a_private_address_is_not_called(tmp_path, service):
    # Another network is allowed, so the name is accepted with its port. Where it leads is known only when it is dialled.
    organizer = started(tmp_path, '["192.0.2.0/24"]')
    try:
        mine = Attendee(organizer, ["slow-queries"])
        device = Device()
        for refused in [f"{service.origin}/x", f"http://[::1]:{service.port}/x", f"http://127.1:{service.port}/x"]:
            assert mine.ask("POST", device.subscription(refused)).status_code == 422, refused
        mine.subscribe(f"http://localhost:{service.port}/capability")
        publish(organizer, DAY)
        sender = Sender(organizer)
        wait_for(lambda: "the address may not be called" in recorded(organizer), "the attempt is recorded")
        assert sender.end(signal.SIGTERM) == 0
        assert waiting(organizer) == 1 and not service.calls
        logs = sender.log.read_text() + organizer.log.read_text()
        assert "capability" not in logs and encoded(device.auth) not in logs
    finally:
        organizer.kill()


def test_a_calendar_program_registers_is_told_renews_and_ends(organizer, service):
    calendar = organizer.origin + "/dav/public/program/"
    key = requests.get(organizer.origin + "/api/v1/push-key", timeout=10).json()["key"]
    asked = f'<propfind xmlns="DAV:"><prop><transports xmlns="{WEBDAV_PUSH}"/><topic xmlns="{WEBDAV_PUSH}"/></prop></propfind>'
    found = requests.request("PROPFIND", calendar, data=asked, headers={"Depth": "0"}, timeout=10)
    properties = ET.fromstring(found.content)
    assert properties.find(f".//{{{WEBDAV_PUSH}}}vapid-public-key").text == key
    topic = properties.find(f".//{{{WEBDAV_PUSH}}}topic").text
    device = Device()
    headers = {"Content-Type": "application/xml; charset=utf-8"}
    body = device.register(f"{service.origin}/up")

    def register() -> tuple[str, float]:
        answer = requests.post(calendar, data=body, headers=headers, timeout=10)
        assert answer.status_code == 204, answer.text
        return answer.headers["Location"], email.utils.parsedate_to_datetime(answer.headers["Expires"]).timestamp()

    location, expires = register()
    assert location.startswith(organizer.origin + "/dav/") and 2.9 < (expires - time.time()) / 86_400 < 3.1
    assert register()[0] == location, "the same resource again is a renewal"
    publish(organizer, DAY)
    sender = Sender(organizer)
    try:
        wait_for(lambda: service.calls, "the message comes after the pause")
    finally:
        assert sender.end(signal.SIGTERM) == 0, sender.log.read_text()
    [(path, sent, content)] = service.calls
    assert path == "/up" and sent["content-encoding"] == "aes128gcm" and sent["topic"] == topic
    check_vapid(sent["authorization"], service, key)
    message = ET.fromstring(device.decrypt(content))
    assert message.tag == f"{{{WEBDAV_PUSH}}}push-message"
    assert message.findtext(f"{{{WEBDAV_PUSH}}}topic") == topic
    assert message.find(f"{{{WEBDAV_PUSH}}}content-update") is not None
    assert requests.delete(location, timeout=10).status_code == 204
    assert requests.delete(location, timeout=10).status_code == 404
    assert encoded(device.auth) not in recorded(organizer)


def recorded(organizer: Organizer) -> str:
    """The store in a backup, as text."""
    return organizer.command("backup", "-", "--data", str(organizer.data), "--config", str(organizer.config))


def test_a_killed_sender_loses_no_message_and_repeats_each_at_most_once(organizer, service):
    devices = 40
    service.delay = 0.4
    for n in range(devices):
        Attendee(organizer, ["slow-queries"]).subscribe(f"{service.origin}/send/{n}")
    publish(organizer, DAY)
    sender = Sender(organizer)
    # More kills than a message has attempts: each meets messages that are being sent.
    for _ in range(8):
        time.sleep(0.5)
        sender.end(signal.SIGKILL)
        sender = Sender(organizer)
    try:
        wait_for(lambda: waiting(organizer) == 0, "the outbox is empty, without waiting for claims to end", 60)
        time.sleep(1)  # the last sender may have only just started
    finally:
        assert sender.end(signal.SIGTERM) == 0, sender.log.read_text()
    received = Counter(path for path, _, _ in service.calls)
    assert set(received) == {f"/send/{n}" for n in range(devices)}
    assert 1 < max(received.values()) <= 2, received
    assert not list(organizer.data.glob("*.attempts")), "nothing is left of the attempts"
