"""The structure of a server's output without its texts: elements, attributes, properties, columns, keys. The parsers share
no code with the server."""

import csv
import io
import json
import re
from urllib.parse import urlsplit

import feedparser
import icalendar
from lxml import etree
from selectolax.lexbor import LexborHTMLParser

ADDRESSES = ("href", "src", "action", "formaction", "poster", "data", "srcset", "cite", "background", "ping")
SCHEMES = {"", "http", "https", "webcal", "webcals"}


def of_html(body: bytes):
    return _element(LexborHTMLParser(body).root)


def _element(element):
    if element.tag == "-comment":
        return "comment"
    name, attributes = element.tag, element.attributes
    # The parser does not show what is inside.
    assert name != "template"
    assert not [attribute for attribute in attributes if attribute.startswith("on")], attributes
    for attribute in ADDRESSES:
        if attribute in attributes:
            scheme = urlsplit((attributes[attribute] or "").strip()).scheme
            assert scheme in SCHEMES, attributes[attribute]
    inside = None
    if name in ("script", "style", "iframe", "object", "embed", "base", "meta"):
        inside = attributes.get("type") or attributes.get("name")
        text = element.text(deep=False)
        if inside == "application/ld+json":
            inside = of_json(text)
        elif name in ("script", "style"):
            inside = text
    children = [_element(child) for child in element.iter(include_text=True) if child.tag != "-text"]
    return name, sorted(attributes), inside, children


def links(body: bytes) -> list[str]:
    """Every address in the page, in order."""
    found = []
    for element in LexborHTMLParser(body).root.traverse():
        attributes = element.attributes
        found += [attributes[name] or "" for name in ("href", "src", "action") if name in attributes]
    return found


def of_xml(body: bytes):
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(body, parser)
    assert not root.getroottree().docinfo.doctype
    return _node(root)


def _node(node):
    assert isinstance(node.tag, str), node  # no comments, no processing instructions
    children = [_node(child) for child in node]
    if node.tag == "day":
        children.sort(key=repr)  # rooms are sorted by name there
    # Slugs that the published schema rejects are omitted.
    attributes = sorted(name for name in node.attrib if (node.tag, name) != ("track", "slug"))
    return node.tag, attributes, children


def of_json(body: bytes | str):
    return _value(json.loads(body))


def _value(value):
    if isinstance(value, dict):
        return {key: _value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_value(inner) for inner in value]
    return type(value).__name__


def of_schedule_json(body: bytes):
    """Rooms are keys in this format; their names are texts."""
    schedule = json.loads(body)
    for track in schedule["schedule"]["conference"]["tracks"]:
        track.pop("slug", None)  # omitted if the published schema rejects it
    for day in schedule["schedule"]["conference"]["days"]:
        day["rooms"] = sorted(([str(name), sessions] for name, sessions in day["rooms"].items()), key=_shape)
    return _value(schedule)


def _shape(value) -> str:
    return repr(_value(value))


def of_calendar(body: bytes):
    calendars = icalendar.Calendar.from_ical(body, multiple=True)
    return [_component(calendar) for calendar in calendars]


def _component(component):
    assert not component.errors
    names = sorted((name, sorted(getattr(value, "params", {}))) for name, value in component.property_items(False))
    return component.name, names, [_component(child) for child in component.subcomponents]


def of_csv(body: bytes):
    rows = list(csv.reader(io.StringIO(body.decode("utf-8"), newline=""), strict=True))
    for row in rows:
        for cell in row:
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
    return [len(row) for row in rows]


def of_text(body: bytes):
    text = body.decode("utf-8")
    bad = re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert not bad, bad
    return None


def of_feed(body: bytes):
    feed = feedparser.parse(body)
    assert not feed.bozo, feed.bozo_exception
    return sorted(feed.feed), [sorted(entry) for entry in feed.entries]


def of_script(body):
    """The script. A picture that is drawn from the conference's title has another hash in its address."""
    return re.sub(rb"\.[0-9a-f]{12}\.", b".HASH.", body)


READERS = {
    "text/html": of_html, "text/calendar": of_calendar, "application/calendar+json": of_json,
    "application/xml": of_xml, "text/xml": of_xml, "application/atom+xml": lambda body: (of_xml(body), of_feed(body)),
    "application/json": of_json, "application/feed+json": of_json, "application/problem+json": of_json,
    "application/manifest+json": of_json, "text/csv": of_csv, "text/plain": of_text,
    "text/javascript": of_script,
}  # fmt: skip


def of(response):
    """The status, the fields and the structure of the body of a response."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    # A fresh Last-Modified is omitted.
    fields = sorted(name.lower() for name in response.headers if name.lower() != "last-modified")
    for name, value in response.headers.items():
        assert not re.search("[\x00-\x08\x0a-\x1f\x7f-\xff]", value), (name, value)
    body = response.content
    if response.url.endswith("/schedule.json") and response.status_code == 200:
        inside = of_schedule_json(body)
    elif media_type in READERS:
        inside = READERS[media_type](body)
    else:
        inside = body
    return response.status_code, media_type, fields, inside
