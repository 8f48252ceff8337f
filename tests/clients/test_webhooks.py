"""Webhooks: one signed delivery per release, retried until it is accepted or expires."""

import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from organizer import Organizer, edited, written

HOOK_SECRET = "a-webhook-secret"


class Receiver:
    """Receives deliveries, and answers with the given statuses in turn, then always with the last."""

    def __init__(self):
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.statuses = [204]
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.calls.append((dict(self.headers), body))
                status = receiver.statuses.pop(0) if len(receiver.statuses) > 1 else receiver.statuses[0]
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
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
    for _ in range(100):  # the delivery for release 1 is queued just after the server listens
        if waiting(organizer):
            break
        time.sleep(0.05)
    yield organizer
    organizer.kill()


def deliver(organizer: Organizer, exit_code: int = 0) -> str:
    return organizer.command("deliver", "--config", str(organizer.config), "--data", str(organizer.data),
                             exit_code=exit_code)  # fmt: skip


def waiting(organizer: Organizer) -> list:
    return sorted((organizer.data / "spool").glob("*.json"))


def make_due(organizer: Organizer, **more) -> None:
    """Makes the next retry due."""
    for file in waiting(organizer):
        file.write_text(json.dumps({**json.loads(file.read_text()), "due": "2020-01-01T00:00:00Z", **more}))


def test_each_release_is_delivered_once_and_signed(organizer, receiver):
    rows = edited(organizer.rows(), slow_queries={"date": "2025-03-27"})
    organizer.upload(written(rows))
    assert len(waiting(organizer)) == 2
    deliver(organizer)
    assert waiting(organizer) == []
    bodies = [json.loads(body) for _, body in receiver.calls]
    assert [body["release"] for body in bodies] == [1, 2]
    assert [(c["session"], c["change"]) for c in bodies[1]["changes"]] == [("slow-queries", "moved")]
    for headers, body in receiver.calls:
        signed = headers["callboard-timestamp"].encode() + b"." + body
        expected = hmac.new(HOOK_SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert hmac.compare_digest(headers["callboard-signature"], f"sha256={expected}")
    assert len({headers["callboard-delivery"] for headers, _ in receiver.calls}) == 2
    deliver(organizer)
    assert len(receiver.calls) == 2


def test_a_failed_delivery_is_retried_with_the_same_id(organizer, receiver):
    receiver.statuses = [500, 204]
    assert "0 delivered, 1 waiting" in deliver(organizer)
    deliver(organizer)
    assert len(receiver.calls) == 1, "not before its time"
    make_due(organizer)
    assert "1 delivered" in deliver(organizer)
    (first, body), (second, again) = receiver.calls
    assert body == again and first["callboard-delivery"] == second["callboard-delivery"]


def test_a_delivery_that_nobody_accepts_is_listed_as_undelivered(organizer, receiver):
    receiver.statuses = [503]
    deliver(organizer)
    make_due(organizer, attempts=8)
    assert "1 given up" in deliver(organizer, exit_code=1)
    kept = list((organizer.data / "spool" / "undelivered").glob("*.json"))
    assert len(kept) == 1 and waiting(organizer) == []
    assert "503" in json.loads(kept[0].read_text())["last_error"]
