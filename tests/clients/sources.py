"""Programs that live elsewhere: servers that answer as Google Sheets, pretalx, Sessionize and others do, also badly."""

import csv
import gzip
import io
import json
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape, quoteattr
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")
LOGIN = b"<!DOCTYPE html><html><head><title>Sign in - Google Accounts</title></head><body><form></form></body></html>"


@dataclass(frozen=True)
class Talk:
    key: str
    title: str
    start: datetime
    room: str
    minutes: int = 45

    @property
    def end(self) -> datetime:
        return self.start + timedelta(minutes=self.minutes)

    def but(self, **changes) -> "Talk":
        return replace(self, **changes)


def talk(number: int, title: str | None = None) -> Talk:
    """The talk with a number. Talks do not overlap in their room."""
    start = datetime(2026, 5, 1 + number // 8, 9 + number % 8, 0, tzinfo=BERLIN)
    return Talk(key(number), title or f"Talk {number}", start, f"Room {number % 3}")


def key(number: int) -> str:
    return f"K{number:03}X"


def key_of(guid: str) -> str:
    """The key of the talk with an identity in any format: `K007X`, `K007X@example.org`, a UUID or a number."""
    return key(int(guid.removesuffix("@example.org").removesuffix("X").rpartition("-")[2].removeprefix("K")))


def google_csv(talks: list[Talk]) -> bytes:
    """As Google publishes a sheet: CRLF between the lines, none at the end."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["GUID", "Day", "From", "To", "Session title", "Room"])
    for one in talks:
        clock = (one.start.strftime("%Y-%m-%d"), one.start.strftime("%H:%M"), one.end.strftime("%H:%M"))
        writer.writerow([one.key, *clock, one.title, one.room])
    return out.getvalue().encode().rstrip(b"\r\n")


def excel_csv(talks: list[Talk]) -> bytes:
    """As other programs save a sheet: every line has its end."""
    return google_csv(talks) + b"\r\n"


def pretalx_json(talks: list[Talk]) -> bytes:
    rooms = sorted({one.room for one in talks})
    return json.dumps({
        "count": len(talks), "next": None, "previous": None,
        "results": [{
            "code": one.key, "title": one.title, "abstract": "", "description": "", "state": "confirmed",
            "submission_type": {"id": 1, "name": {"en": "Talk"}}, "track": None, "speakers": [],
            "slots": [{
                "id": index, "start": one.start.isoformat(), "end": one.end.isoformat(),
                "room": {"id": rooms.index(one.room), "name": {"en": one.room}},
            }],
        } for index, one in enumerate(talks)],
    }).encode()  # fmt: skip


def sessionize_json(talks: list[Talk]) -> bytes:
    rooms = sorted({one.room for one in talks})
    return json.dumps({
        "sessions": [{
            "id": one.key, "title": one.title, "description": "", "isServiceSession": False, "isPlenumSession": False,
            "startsAt": one.start.strftime("%Y-%m-%dT%H:%M:%S"), "endsAt": one.end.strftime("%Y-%m-%dT%H:%M:%S"),
            "speakers": [], "categoryItems": [], "questionAnswers": [], "roomId": rooms.index(one.room), "status": "Accepted",
        } for one in talks],
        "speakers": [], "questions": [], "categories": [],
        "rooms": [{"id": index, "name": name, "sort": index} for index, name in enumerate(rooms)],
    }).encode()  # fmt: skip


def schedule_v2(talks: list[Talk]) -> bytes:
    return json.dumps({"schedule": {
        "version": "1", "conference": {"title": "Conf", "time_zone_name": "Europe/Berlin"},
        "events": [{
            "guid": one.key, "title": one.title, "start": one.start.isoformat(), "duration": f"00:{one.minutes}",
            "room": one.room, "type": "talk", "persons": [], "links": [],
        } for one in talks],
    }}).encode()  # fmt: skip


def frab_json(talks: list[Talk]) -> bytes:
    """Version 1, as pretalx and frab write it: by days and rooms."""
    days = []
    for index, day in enumerate(sorted({one.start.date() for one in talks}), 1):
        rooms: dict[str, list] = {}
        for number, one in enumerate(talks):
            if one.start.date() != day:
                continue
            rooms.setdefault(one.room, []).append({
                "guid": f"8e2b5b1c-0000-4000-8000-{int(one.key[1:4]):012}", "code": one.key, "id": number, "logo": None,
                "date": one.start.isoformat(), "start": one.start.strftime("%H:%M"), "duration": f"00:{one.minutes}",
                "room": one.room, "slug": f"conf-{number}", "url": f"https://talks.example.org/{one.key}/", "title": one.title,
                "subtitle": "", "track": None, "type": "Talk", "language": "en", "abstract": "", "description": "",
                "do_not_record": False, "persons": [], "links": [], "attachments": [], "answers": [],
            })  # fmt: skip
        days.append({"index": index, "date": str(day), "rooms": rooms})
    return json.dumps({"schedule": {
        "version": "1", "conference": {"acronym": "conf", "title": "Conf", "time_zone_name": "Europe/Berlin", "days": days},
    }}).encode()  # fmt: skip


def indico_json(talks: list[Talk]) -> bytes:
    """As `/export/event/ID.json?detail=contributions` answers. Contributions have numbers."""
    def when(at: datetime) -> dict[str, str]:
        return {"date": at.strftime("%Y-%m-%d"), "time": at.strftime("%H:%M:%S"), "tz": "Europe/Berlin"}

    return json.dumps({"count": 1, "additionalInfo": {}, "_type": "HTTPAPIResult", "complete": False, "results": [{
        "_type": "Conference", "id": "12", "title": "Conf", "timezone": "Europe/Berlin",
        "contributions": [{
            "_type": "Contribution", "db_id": int(one.key[1:4]), "id": one.key[1:4].lstrip("0") or "0", "friendly_id": index,
            "title": one.title, "startDate": when(one.start), "endDate": when(one.end), "duration": one.minutes,
            "room": one.room, "roomFullname": one.room, "location": "", "type": None, "session": None, "track": None,
            "description": "", "speakers": [], "primaryauthors": [], "coauthors": [], "keywords": [], "folders": [],
        } for index, one in enumerate(talks)],
    }]}).encode()  # fmt: skip


def xcal(talks: list[Talk]) -> bytes:
    """RFC 6321."""
    def text(name: str, value: str) -> str:
        return f"<{name}><text>{escape(value)}</text></{name}>"

    def time(name: str, at: datetime) -> str:
        zone = "<parameters><tzid><text>Europe/Berlin</text></tzid></parameters>"
        return f"<{name}>{zone}<date-time>{at:%Y-%m-%dT%H:%M:%S}</date-time></{name}>"

    events = "".join(
        f"<vevent><properties>{text('uid', one.key + '@example.org')}{time('dtstart', one.start)}{time('dtend', one.end)}"
        f"{text('summary', one.title)}{text('location', one.room)}</properties></vevent>"
        for one in talks
    )
    head = "<properties><prodid><text>-//test//EN</text></prodid><version><text>2.0</text></version></properties>"
    return (
        "<?xml version='1.0' encoding='UTF-8'?><icalendar xmlns='urn:ietf:params:xml:ns:icalendar-2.0'>"
        f"<vcalendar>{head}<components>{events}</components></vcalendar></icalendar>"
    ).encode()


def pentabarf_xcal(talks: list[Talk]) -> bytes:
    """The earlier form, whose elements hold their value directly."""
    events = "".join(
        f"<vevent><method>PUBLISH</method><uid>{one.key}@example.org</uid><dtstart>{one.start:%Y%m%dT%H%M%S}</dtstart>"
        f"<dtend>{one.end:%Y%m%dT%H%M%S}</dtend><duration>00:{one.minutes}</duration><summary>{escape(one.title)}</summary>"
        f"<location>{escape(one.room)}</location><status>CONFIRMED</status></vevent>"
        for one in talks
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><iCalendar xmlns:pentabarf='http://pentabarf.org' "
        "xmlns:xCal='urn:ietf:params:xml:ns:xcal'><vcalendar><version>2.0</version><x-wr-timezone>Europe/Berlin"
        f"</x-wr-timezone>{events}</vcalendar></iCalendar>"
    ).encode()


def frab_xml(talks: list[Talk]) -> bytes:
    days = []
    for day in sorted({one.start.date() for one in talks}):
        rooms = []
        for room in sorted({one.room for one in talks if one.start.date() == day}):
            events = "".join(
                f"<event guid={quoteattr(one.key)} id='{index}'><date>{one.start.isoformat()}</date>"
                f"<start>{one.start:%H:%M}</start><duration>00:{one.minutes}</duration><room>{escape(one.room)}</room>"
                f"<title>{escape(one.title)}</title><type>talk</type><persons/></event>"
                for index, one in enumerate(talks) if one.room == room and one.start.date() == day
            )  # fmt: skip
            rooms.append(f"<room name={quoteattr(room)}>{events}</room>")
        days.append(f"<day date='{day}' index='1'>{''.join(rooms)}</day>")
    head = "<conference><title>Conf</title><time_zone_name>Europe/Berlin</time_zone_name></conference>"
    return f"<?xml version='1.0' encoding='UTF-8'?><schedule>{head}{''.join(days)}</schedule>".encode()


def ics(talks: list[Talk]) -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for one in talks:
        lines += [
            "BEGIN:VEVENT", f"UID:{one.key}@example.org", "DTSTAMP:20260101T000000Z",
            f"DTSTART;TZID=Europe/Berlin:{one.start:%Y%m%dT%H%M%S}", f"DTEND;TZID=Europe/Berlin:{one.end:%Y%m%dT%H%M%S}",
            f"SUMMARY:{one.title}", f"LOCATION:{one.room}", "END:VEVENT",
        ]  # fmt: skip
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


FORMATS = {
    "google": (google_csv, "text/csv; charset=utf-8"),
    "excel": (excel_csv, "text/csv"),
    "pretalx": (pretalx_json, "application/json"),
    "sessionize": (sessionize_json, "application/json; charset=utf-8"),
    "schedule-v2": (schedule_v2, "application/json"),
    "frab-xml": (frab_xml, "application/xml"),
    "frab-json": (frab_json, "application/json"),
    "indico": (indico_json, "application/json"),
    "xcal": (xcal, "application/calendar+xml"),
    "pentabarf": (pentabarf_xcal, "application/xml"),
    "ics": (ics, "text/calendar; charset=utf-8"),
}


@dataclass
class Source:
    """A server with a program in one format. `fault` names what is wrong with its answers."""

    format: str
    talks: list[Talk]
    fault: str = ""
    validators: str = "etag"
    coding: str = "identity"
    elsewhere: str = ""
    requests: list[dict[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def __post_init__(self):
        source = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                source.requests.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
                source.answer(self)

            def log_message(self, *_):
                pass

            def send_response(self, code, message=None):
                source.answers.append(code)
                super().send_response(code, message)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/d/e/unguessable/pub?output=csv"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def body(self) -> bytes:
        return FORMATS[self.format][0](self.talks)

    def answer(self, out: BaseHTTPRequestHandler) -> None:
        body, fault = self.body(), self.fault
        if fault == "reset":
            out.close_connection = True
            return out.connection.close()
        if fault.isdigit():
            return self.send(out, int(fault), b"busy", {"Retry-After": "0"})
        if fault == "redirect" and not out.path.startswith("/moved"):
            return self.send(out, 302, b"", {"Location": "/moved" + out.path})
        if fault == "redirect-elsewhere":
            return self.send(out, 302, b"", {"Location": self.elsewhere})
        if fault == "redirect-loop":
            return self.send(out, 307, b"", {"Location": out.path})
        wrong = {
            "login": LOGIN, "nothing": b"", "garbage": bytes(range(256)) * 50, "list": b"[]", "null": b"null",
            "half": body[: len(body) // 2], "almost": body[:-1], "fewer": FORMATS[self.format][0](self.talks[:-2]),
            "no-sessions": FORMATS[self.format][0]([]),
        }  # fmt: skip
        if fault in wrong:
            return self.send(out, 200, wrong[fault], {})
        tag = f'"{sha256(body).hexdigest()[:16]}"'
        validators = {"ETag": tag} if self.validators == "etag" else {}
        if self.validators == "date":
            # A server whose clock has seconds: each program has its own.
            second = int(sha256(body).hexdigest()[:6], 16)
            stamp = datetime(2026, 1, 1) + timedelta(seconds=second)
            validators = {"Last-Modified": stamp.strftime("%a, %d %b %Y %H:%M:%S GMT")}
        asked = out.headers.get("If-None-Match") == tag or (
            "Last-Modified" in validators and out.headers.get("If-Modified-Since") == validators["Last-Modified"]
        )
        if asked and not fault:
            return self.send(out, 304, None, validators)
        if self.coding == "gzip" or fault == "cut-gzip":
            assert "gzip" in out.headers.get("Accept-Encoding", "")
            body = gzip.compress(body)
            validators["Content-Encoding"] = "gzip"
        if fault in ("cut-length", "cut-gzip", "cut-chunk", "bomb"):
            return self.cut(out, fault, body, validators)
        if self.coding == "chunked":
            return self.chunked(out, body, validators)
        self.send(out, 200, body, validators)

    def send(self, out, status: int, body: bytes | None, headers: dict[str, str]) -> None:
        out.send_response(status)
        out.send_header("Content-Type", FORMATS[self.format][1])
        for name, value in headers.items():
            out.send_header(name, value)
        if body is not None:
            out.send_header("Content-Length", str(len(body)))
        out.end_headers()
        out.wfile.write(body or b"")

    def chunked(self, out, body: bytes, headers: dict[str, str], whole: bool = True) -> None:
        out.send_response(200)
        for name, value in {**headers, "Transfer-Encoding": "chunked"}.items():
            out.send_header(name, value)
        out.end_headers()
        for at in range(0, len(body), 700):
            part = body[at : at + 700]
            out.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        out.wfile.write(b"0\r\n\r\n" if whole else b"")

    def cut(self, out, fault: str, body: bytes, headers: dict[str, str]) -> None:
        out.close_connection = True
        if fault == "cut-chunk":
            # The first lines, with every chunk complete.
            lines = self.body().split(b"\n")
            return self.chunked(out, b"\n".join(lines[: len(lines) // 2]) + b"\n", {}, whole=False)
        if fault == "bomb":
            body, headers = gzip.compress(b"x," * 50_000_000), {"Content-Encoding": "gzip"}
            return self.send(out, 200, body, headers)
        half = body[: len(body) // 2]
        if fault == "cut-gzip":
            return self.send(out, 200, half, headers)  # its length fits what is sent
        out.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            out.send_header(name, value)
        out.end_headers()
        out.wfile.write(half)
