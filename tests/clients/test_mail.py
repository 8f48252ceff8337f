"""Calendar invitations by mail, from the real server through `callboard deliver` to a relay: what a recipient reads, what each
answer of the relay means, TLS, and that a killed sender loses nothing."""

import email
import email.policy
import re
import signal
import socket
import time

import icalendar
import pytest
import requests

from deliveries import Sender, deliver, wait_for, waiting
from organizer import Organizer, edited, written
from relay import Relay, certificate
from test_push import DAY, recorded

FROM = "calendar@conf.example.org"

# The name of this machine. The config does not take it for this machine, so the relay needs TLS.
HOST = socket.gethostname()


@pytest.fixture
def relay():
    relay = Relay()
    yield relay
    relay.close()


def started(home, relay: Relay, more: str = "", scheme: str = "smtp", host: str = "127.0.0.1") -> Organizer:
    table = f'\n[mail]\nrelay = "{scheme}://{host}:{relay.port}"\nfrom = "{FROM}"\n{more}'
    organizer = Organizer(home, table)
    organizer.start()
    # Only what is not over is invited to.
    day = {"date": DAY}
    organizer.upload(written(edited(organizer.rows(), slow_queries=day, live_laugh_log=day)))
    return organizer


@pytest.fixture
def organizer(tmp_path, relay):
    organizer = started(tmp_path, relay)
    yield organizer
    organizer.kill()


class Attendee:
    def __init__(self, organizer: Organizer, picks: list[str]):
        self.organizer, self.api = organizer, organizer.origin + "/api/v1"
        made = requests.post(f"{self.api}/agendas", json={"picks": picks}, timeout=10)
        self.headers = {"Authorization": f"Bearer {made.json()['edit_key']}"}

    def ask(self, address: str) -> requests.Response:
        body = {"channel": "mail", "address": address}
        return requests.post(f"{self.api}/agenda/subscriptions", json=body, headers=self.headers, timeout=10)

    def confirm(self, relay: Relay, address: str) -> None:
        assert self.ask(address).status_code == 202
        deliver(self.organizer)
        assert relay.recipients()[-1] == address
        link = re.search(r"https?://\S+/mail/confirm/\S+", body_of(relay.mails[-1][2]))[0]
        assert requests.post(link, timeout=10).status_code == 200

    def pick(self, session: str, method: str = "PUT") -> None:
        url = f"{self.api}/agenda/picks/{session}"
        assert requests.request(method, url, headers=self.headers, timeout=10).ok

    def mailboxes(self) -> int:
        return len(requests.get(f"{self.api}/agenda/subscriptions", headers=self.headers, timeout=10).json())


def message(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.default)


def body_of(raw: bytes) -> str:
    return message(raw).get_body(("plain",)).get_content()


def event_of(raw: bytes):
    part = message(raw).get_body(("calendar",)) or message(raw).get_payload()[-1]
    calendar = icalendar.Calendar.from_ical(part.get_content())
    [event] = calendar.walk("VEVENT")
    assert part.get_content_type() == "text/calendar" and part.get_param("method") == calendar["METHOD"]
    return calendar["METHOD"], event


def invitations(relay: Relay) -> list:
    return [event_of(raw) for _, _, raw in relay.mails if message(raw).is_multipart()]


def running(organizer: Organizer):
    """The service, which waits for ten seconds after a change."""
    return Sender(organizer)


def test_an_invitation_arrives_is_updated_and_cancelled(organizer, relay):
    mine = Attendee(organizer, ["slow-queries"])
    mine.confirm(relay, "ada@example.org")
    sender = running(organizer)
    try:
        wait_for(lambda: len(relay.mails) == 2, "the invitation arrives")
        from_, to, raw = relay.mails[1]
        mail = message(raw)
        assert (from_, to) == (FROM, "ada@example.org") and mail["From"].addresses[0].addr_spec == FROM
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/calendar"]
        assert mail.get_payload()[-1]["Content-Transfer-Encoding"] == "quoted-printable"
        method, event = event_of(raw)
        assert (method, event["ORGANIZER"], event["ATTENDEE"]) == ("REQUEST", f"mailto:{FROM}", "mailto:ada@example.org")
        assert event["DTSTART"].dt.isoformat().startswith(DAY) and event["SEQUENCE"] == 0
        mine.pick("slow-queries", "DELETE")
        # Mails about one session are a minute apart.
        wait_for(lambda: len(relay.mails) == 3, "the cancellation arrives", 90)
        method, gone = event_of(relay.mails[2][2])
        assert (method, gone["UID"], gone["STATUS"]) == ("CANCEL", event["UID"], "CANCELLED")
        assert gone["SEQUENCE"] > event["SEQUENCE"] and gone["DTSTAMP"].dt > event["DTSTAMP"].dt
        unsubscribe = mail["List-Unsubscribe"].strip("<>")
        assert requests.get(unsubscribe, timeout=10).ok and mine.mailboxes() == 1
        one_click = {"List-Unsubscribe": "One-Click"}
        assert requests.post(unsubscribe, data=one_click, timeout=10).ok and mine.mailboxes() == 0
        wait_for(lambda: waiting(organizer) == 0, "the outbox is empty")
    finally:
        assert sender.end(signal.SIGTERM) == 0, sender.log.read_text()
    for log in (sender.log.read_text(), organizer.log.read_text()):
        assert "ada@" not in log and "example.org" not in log.replace("conf.example.org", "")
    assert "ada@example.org" not in recorded(organizer), "the address is erased at once"


@pytest.mark.parametrize("command, reply, is_ended", [
    ("RCPT", "550 5.1.1 no such user ada@example.org", True), ("RCPT", "550 unknown", True),
    ("RCPT", "550 5.1.8 sender address rejected", False), ("RCPT", "552 5.2.2 mailbox full", False),
    ("RCPT", "450 4.2.0 greylisted", False), ("RCPT", "554 5.7.1 relay access denied", False),
    ("MAIL", "550 5.7.1 sender refused", False), ("DATA", "451 4.3.0 later", False),
    ("accept", "554 5.6.0 refused", False), ("accept", "cut", False), ("RCPT", "cut", False),
])  # fmt: skip
def test_each_answer_of_the_relay_has_its_outcome(organizer, relay, command, reply, is_ended):
    mine = Attendee(organizer, ["slow-queries"])
    mine.confirm(relay, "ada@example.org")
    time.sleep(11)
    relay.replies[command] = [reply]
    said = deliver(organizer)
    assert "0 delivered" in said and len(relay.mails) == 1
    assert mine.mailboxes() == (0 if is_ended else 1) and waiting(organizer) == (0 if is_ended else 1)
    assert "ada@" not in organizer.log.read_text() + said


def test_a_relay_that_hangs_or_is_gone_delays_mails_only(organizer, relay):
    mine = Attendee(organizer, ["slow-queries"])
    relay.close()
    assert mine.ask("ada@example.org").status_code == 202
    assert "1 waiting" in deliver(organizer)
    assert requests.get(organizer.origin, timeout=10).ok


def test_a_relay_that_takes_long_to_accept_a_mail_gets_it_once(organizer, relay):
    """RFC 5321, 4.5.3.2.6: a client that gives up early sends the mail again, and the recipient gets it twice."""
    relay.replies["accept"] = ["slow"]
    assert Attendee(organizer, ["slow-queries"]).ask("ada@example.org").status_code == 202
    assert "1 delivered, 0 waiting" in deliver(organizer)
    assert relay.recipients() == ["ada@example.org"]


def test_connections_end_with_quit(organizer, relay):
    assert Attendee(organizer, ["slow-queries"]).ask("ada@example.org").status_code == 202
    deliver(organizer)
    wait_for(lambda: relay.commands[-1] == "QUIT", "the sender says goodbye (RFC 5321, 4.1.1.10)")


@pytest.mark.parametrize("security, scheme", [("starttls", "smtp"), ("tls", "smtps")])
def test_tls_and_a_login(tmp_path, security, scheme):
    context, ca_file = certificate(tmp_path, [HOST])
    relay = Relay(security, ("callboard", "pass word"), context)
    secret = tmp_path / "mail-secret"
    secret.write_text("pass word\n")
    login = f'user = "callboard"\nsecret_file = "{secret}"\n'
    organizer = started(tmp_path, relay, f'{login}ca_file = "{ca_file}"\n', scheme, HOST)
    try:
        Attendee(organizer, ["slow-queries"]).confirm(relay, "ada@example.org")
        secret.write_text("wrong")
        Attendee(organizer, ["slow-queries"]).ask("eve@example.org")
        assert "0 delivered" in deliver(organizer) and len(relay.mails) == 1
        text = organizer.config.read_text()
        organizer.config.write_text(text.replace(f'ca_file = "{ca_file}"\n', ""))
        secret.write_text("pass word")
        time.sleep(3)
        assert "0 delivered" in deliver(organizer) and len(relay.mails) == 1, "an unknown certificate"
    finally:
        organizer.kill()
        relay.close()


def test_text_before_tls_is_refused(tmp_path):
    context, ca_file = certificate(tmp_path, [HOST])
    for relay in [Relay("starttls", None, context, "\r\n250 injected"), Relay("none")]:
        home = tmp_path / relay.security
        home.mkdir()
        organizer = started(home, relay, f'ca_file = "{ca_file}"\n', "smtp", HOST)
        try:
            assert Attendee(organizer, ["slow-queries"]).ask("ada@example.org").status_code == 202
            assert "0 delivered, 1 waiting" in deliver(organizer)
            assert not any(command.startswith("MAIL") for command in relay.commands)
        finally:
            organizer.kill()
            relay.close()


def test_a_killed_sender_and_a_killed_server_lose_no_mail(organizer, relay):
    boxes = [f"a{n}@example.org" for n in range(4)]
    picks = ["slow-queries", "live-laugh-log"]
    for n, box in enumerate(boxes):
        mine = Attendee(organizer, picks)
        mine.confirm(relay, box)
    relay.delay = 0.2
    for _ in range(2):
        sender = running(organizer)
        time.sleep(6)
        sender.end(signal.SIGKILL)
    organizer.kill()
    organizer.start()
    relay.delay = 0
    sender = running(organizer)
    try:
        # Mails about one session are a minute apart.
        wait_for(lambda: waiting(organizer) == 0, "the outbox is empty", 120)
    finally:
        assert sender.end(signal.SIGTERM) == 0, sender.log.read_text()
    sequences: dict[str, list[int]] = {}
    for method, event in invitations(relay):
        assert method == "REQUEST"
        sequences.setdefault(str(event["UID"]), []).append(event["SEQUENCE"])
    invited = {(str(event["ATTENDEE"]), str(event["SUMMARY"])) for _, event in invitations(relay)}
    assert len(sequences) == len(invited) == len(boxes) * 2
    assert all(numbers == sorted(set(numbers)) for numbers in sequences.values()), sequences
