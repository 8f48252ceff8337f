"""Golden mails, read by Python's own MIME parser and by icalendar."""

import email
import email.policy
import re
from email.utils import parsedate_to_datetime

import icalendar
import pytest

from feeds import ROOT

MAILS = sorted((ROOT / "tests" / "golden").glob("mail-*.eml"))


def parsed(path):
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert not mail.defects and not any(part.defects for part in mail.walk())
    return mail


def test_there_are_mails_of_every_kind():
    assert len(MAILS) == 8


@pytest.mark.parametrize("path", MAILS, ids=lambda path: path.stem)
def test_every_field_is_understood(path):
    mail = parsed(path)
    assert mail["From"].addresses[0].addr_spec == "calendar@conf.example.org"
    assert mail["To"].addresses[0].addr_spec == "Ada.Lovelace@example.org"
    assert mail["Reply-To"].addresses[0].addr_spec == "desk@conf.example.org"
    name = "小さなカンファレンス" if path.stem.endswith("-ja") else "Small Conference, '2025'"
    assert mail["From"].addresses[0].display_name == name
    assert parsedate_to_datetime(mail["Date"]).isoformat() == "2025-03-01T12:00:00+00:00"
    assert mail["Message-ID"].count("@") == 1
    assert mail["Subject"] and "\n" not in str(mail["Subject"])
    if "confirm" not in path.stem:
        assert "longer than one line of a header field" in mail["Subject"]
        assert mail["List-Unsubscribe"].startswith("<http") and mail["List-Unsubscribe"].endswith(">")


@pytest.mark.parametrize("path", [path for path in MAILS if "confirm" not in path.stem], ids=lambda path: path.stem)
def test_the_calendar_is_an_invitation_that_calendars_accept(path):
    mail = parsed(path)
    assert mail.get_content_type() == "multipart/alternative"
    text, part = mail.iter_parts()
    assert (text.get_content_type(), part.get_content_type()) == ("text/plain", "text/calendar")
    assert part.get_content_disposition() is None, "an attachment would not be added by itself"
    assert part["Content-Transfer-Encoding"] == "quoted-printable"
    assert part.get_content_charset() == "utf-8"
    calendar = icalendar.Calendar.from_ical(part.get_content())
    method = "CANCEL" if "cancellation" in path.stem else "REQUEST"
    assert part.get_param("method") == calendar["METHOD"] == method
    [event] = calendar.walk("VEVENT")
    assert not event.errors
    assert event["ORGANIZER"] == "mailto:calendar@conf.example.org" and not event["ORGANIZER"].params
    assert event["ATTENDEE"] == "mailto:Ada.Lovelace@example.org" and event["ATTENDEE"].params["RSVP"] == "FALSE"
    assert event["DTSTART"].dt.isoformat() == "2025-03-25T10:00:00+01:00"
    assert event["DTEND"].dt.isoformat() == "2025-03-25T10:45:00+01:00"
    assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Europe/Berlin"]
    assert event["SEQUENCE"] == {"first": 0, "update": 3, "cancellation": 4}[path.stem.split("-")[1]]
    assert (event["STATUS"] == "CANCELLED") == (method == "CANCEL")
    assert 'ünïcode & a title' in event["SUMMARY"]
    assert re.search("10:00.10:45 CET", text.get_content())
