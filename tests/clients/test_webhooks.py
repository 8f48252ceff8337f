"""Webhooks: one signed delivery per release, retried until it is accepted or expires, through crashes of both sides."""

import hashlib
import hmac
import json
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deliveries import Sender, deliver, publish, wait_for, waiting
from organizer import Organizer

HOOK_SECRET = "a-webhook-secret"


class Receiver:
    """Receives deliveries, and answers with the given statuses in turn, then always with the last."""

    def __init__(self):
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.statuses = [204]
        self.retry_after: str | None = None
        self.delay = 0.0
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append((dict(self.headers), body))
                status = receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
                time.sleep(receiver.delay)
                self.send_response(status)
                if receiver.retry_after and status >= 400:
                    self.send_header("Retry-After", receiver.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()


@pytest.fixture
def organizer(tmp_path, receiver):
    (tmp_path / "hook-secret").write_text(f"{HOOK_SECRET}\n")
    hook = f'\n[[webhooks]]\nurl = "{receiver.url}"\nsecret_file = "{tmp_path}/hook-secret"\n'
    organizer = Organizer(tmp_path, hook)
    organizer.start()
    wait_for(lambda: waiting(organizer) == 1, "the delivery for release 1 is queued just after the server listens")
    yield organizer
    organizer.kill()


def test_each_release_is_delivered_once_and_signed(organizer, receiver):
    publish(organizer, "2025-03-27")
    assert waiting(organizer) == 2
    assert "2 delivered, 0 waiting, 0 given up" in deliver(organizer)
    bodies = sorted((json.loads(body) for _, body in receiver.calls), key=lambda body: body["release"])
    assert [body["release"] for body in bodies] == [1, 2]
    assert bodies[0]["changes"] == [], "the first release is no list of additions"
    assert [(c["session"], c["change"]) for c in bodies[1]["changes"]] == [("slow-queries", "moved")]
    for headers, body in receiver.calls:
        signed = headers["callboard-timestamp"].encode() + b"." + body
        expected = hmac.new(HOOK_SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(headers["callboard-signature"], f"sha256={expected}")
    assert len({headers["callboard-delivery"] for headers, _ in receiver.calls}) == 2
    deliver(organizer)
    assert len(receiver.calls) == 2


def test_a_failed_delivery_is_retried_within_seconds_with_the_same_id(organizer, receiver):
    receiver.statuses = [500, 204]
    sender = Sender(organizer)
    try:
        wait_for(lambda: len(receiver.calls) == 2, "the retry follows within seconds", 15)
        wait_for(lambda: waiting(organizer) == 0, "the result is reported")
    finally:
        assert sender.end(signal.SIGTERM) == 0, sender.log.read_text()
    (first, body), (second, again) = receiver.calls
    assert body == again and first["callboard-delivery"] == second["callboard-delivery"]


def test_a_receiver_that_asks_for_a_pause_gets_it(organizer, receiver):
    receiver.statuses, receiver.retry_after = [429, 204], "6"
    asked = time.monotonic()
    sender = Sender(organizer)
    try:
        wait_for(lambda: len(receiver.calls) == 2, "the retry follows", 30)
    finally:
        sender.end(signal.SIGTERM)
    assert time.monotonic() - asked >= 5


def test_a_waiting_sender_is_woken_by_a_release(organizer, receiver):
    sender = Sender(organizer)
    try:
        wait_for(lambda: len(receiver.calls) == 1, "release 1 is delivered")
        time.sleep(0.5)
        published = time.monotonic()
        publish(organizer, "2025-03-27")
        wait_for(lambda: len(receiver.calls) == 2, "release 2 is delivered", 20)
        # A sender that only asked from time to time would ask every 10 seconds.
        assert time.monotonic() - published < 9
    finally:
        assert sender.end(signal.SIGTERM) == 0


def test_a_stopped_sender_finishes_what_it_began(organizer, receiver):
    receiver.delay = 3
    sender = Sender(organizer)
    wait_for(lambda: receiver.calls, "the delivery began")
    assert sender.end(signal.SIGTERM) == 0
    assert waiting(organizer) == 0, sender.log.read_text()
    assert len(receiver.calls) == 1


def test_nothing_is_lost_when_either_side_is_killed(organizer, receiver):
    receiver.delay = 0.3
    receiver.statuses = [503, 204, 500, 204]
    sender, days = Sender(organizer), ["2025-03-27", "2025-03-26", "2025-03-25"]
    for n in range(6):
        publish(organizer, days[n % 3])
        time.sleep(0.2 * n)
        sender.end(signal.SIGKILL)
        sender = Sender(organizer)
        if n % 2:
            organizer.kill()
            organizer.start()
    live = 1 + 6
    try:
        released = lambda: {json.loads(body)["release"] for _, body in receiver.calls}
        # A claim of a killed sender lasts two minutes.
        wait_for(lambda: waiting(organizer) == 0, "the outbox is empty", 200)
        assert released() >= set(range(1, live + 1))
    finally:
        assert sender.end(signal.SIGTERM) == 0, sender.log.read_text()
    names = [headers["callboard-delivery"] for headers, _ in receiver.calls]
    # One attempt for each release, two that were refused, and one more for each kill at most.
    assert len(names) <= live + 2 + 6 + 3


def test_without_a_server_deliver_says_so(organizer):
    organizer.kill()
    assert "its deliveries wait until it does" in deliver(organizer, exit_code=1)
    organizer.start()
    assert "1 delivered" in deliver(organizer)
