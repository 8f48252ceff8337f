"""Hostile texts in every kind of output, compared with the same program with harmless texts.

Two servers run side by side: one has a hostile text in every cell and name, the other its harmless twin. Foreign parsers
read every page, feed and export of both. Both must have the same structure, with exactly the same elements, attributes,
properties, columns and keys. See hostile.py and skeletons.py.
"""

import json
import re
import socket
import subprocess
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import requests

import skeletons
from feeds import ROOT
from hostile import COLUMNS, PAYLOADS, TEXTS, accepted, cells, check, flat, harmless, toml, twin, utf8, written
from organizer import SECRET, secret_line
from server import BINARY, PATIENT, Server

SENDABLE = [payload for payload in PAYLOADS if utf8(payload)]


def config(folder: Path, texts: list[str], title: str, venue: str) -> Path:
    tracks = "".join(
        f"[[tracks]]\nname = {toml(flat(text) + f' t{n:03}')}\nslug = \"track-{n:03}\"\nabout = {toml(text + ' end')}\n"
        for n, text in enumerate(texts)
    )
    file = folder / "callboard.toml"
    file.write_text(
        f'retention_days = 36500\n[conference]\ntitle = {toml(title)}\nslug = "hostile"\nvenue = {toml(venue)}\nzone = "America/Los_Angeles"\n'
        f'first_day = 2025-03-24\nlast_day = 2025-03-27\n{tracks}[publishing]\nguard_share = 1.0\n'
        f'[[webhooks]]\nurl = "https://hooks.example/x"\nsecret_file = "{folder}/hook"\n'
    )  # fmt: skip
    (folder / "hook").write_text("a-webhook-secret\n")
    (folder / "organizer-secrets").write_text(secret_line(SECRET))
    (folder / "secret").write_text(f"{SECRET}\n")
    return file


def serve(folder: Path, settings: Path, rows: list[dict[str, str]]) -> Server:
    program = folder / "program.csv"
    program.write_bytes(written(rows))
    server = Server(folder / "data", program, settings, "--organizer-secret-file", str(folder / "organizer-secrets"))
    server.start()
    return server


def second(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The next release: titles shift by one row; some sessions move, are cancelled or removed."""
    made = []
    for n, row in enumerate(rows):
        after = rows[(n + 1) % len(rows)]
        row = {**row, "title": after["title"], "abstract": after["abstract"]}
        if n % 5 == 1:
            row["room"] = after["room"]
        if n % 5 == 2:
            row["status"] = "cancelled"
        if n % 50 != 4:
            made.append(row)
    return made


def publish(server: Server, rows: list[dict[str, str]]) -> None:
    answer = PATIENT.put(f"{server.origin}/organizer/program", data=written(rows), timeout=120,
                          headers={"Authorization": f"Bearer {SECRET}", "Content-Type": "text/csv"})  # fmt: skip
    # 200 if the first try succeeded but its response was late.
    assert answer.status_code in (200, 201), answer.text


class Pair:
    """The server with hostile texts and its twin."""

    def __init__(self, folder: Path):
        self.folder = folder
        homes = [folder / "hostile", folder / "twin"]
        for home in homes:
            home.mkdir()
        configured = SENDABLE[::2]
        settings = [
            config(homes[0], configured, "Conference", "Venue"),
            config(homes[1], [harmless(text) for text in configured], "Conference", "Venue"),
        ]
        planted = [cells(n, text) for n, text in enumerate(SENDABLE)]
        self.rows, self.refused = accepted(planted, folder, settings[0])
        self.twins = [twin(row) for row in self.rows]
        self.servers = [serve(homes[0], settings[0], self.rows), serve(homes[1], settings[1], self.twins)]
        publish(self.servers[0], second(self.rows))
        publish(self.servers[1], second(self.twins))

    def stop(self) -> None:
        for server in self.servers:
            server.kill()

    def get(self, path: str, other: str | None = None, **headers: str) -> list[requests.Response]:
        return [
            server.get(at, **headers) for server, at in zip(self.servers, (path, path if other is None else other))
        ]

    def alike(self, path: str, other: str | None = None, **headers: str) -> list[requests.Response]:
        """Sends a request to both servers and compares the structure of the responses."""
        answers = self.get(path, other, **headers)
        hostile, harmless = (skeletons.of(answer) for answer in answers)
        if path.split("?")[0] in SORTED_BY_NAME:
            hostile, harmless = unordered(hostile), unordered(harmless)
        assert hostile == harmless, f"{path} broke out: {difference(hostile, harmless)}"
        return answers


def difference(a, b, at: str = "") -> str:
    """The first difference of two structures, in one line."""
    if type(a) is type(b) and isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return f"{at}: {len(a)} of {len(b)}: {str(a)[:400]} / {str(b)[:400]}"
        for n, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return difference(x, y, f"{at}/{n}")
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        return next(difference(a[key], b[key], f"{at}/{key}") for key in a if a[key] != b[key])
    return f"{at}: {str(a)[:400]} / {str(b)[:400]}"


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    pair = Pair(tmp_path_factory.mktemp("hostile"))
    yield pair
    pair.stop()


def test_at_least_200_texts_are_planted_in_every_column(pair):
    for column in TEXTS:
        planted = len(SENDABLE) - sum(1 for _, refused in pair.refused if refused == column)
        assert planted >= 200, f"{column}: {planted}"


PATHS = [
    "/", "/?embed", "/mine", "/changes", "/offline", "/agenda", "/subscribe/program", "/subscribe/tracks/track-007", "/program.ics",
    "/program.ics?cancelled=title&alarm=10m&busy=yes", "/program.ics?kind=talk", "/program.jcal", "/schedule.xml",
    "/schedule.json", "/schedule.csv", "/program.txt", "/changes.atom", "/changes.json", "/sitemap.xml", "/robots.txt",
    "/manifest.webmanifest", "/sw.js", "/days/2025-03-25.ics", "/days/2025-03-25.jcal",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_whole_output_keeps_its_structure(pair, path):
    hostile, _ = pair.alike(path)
    assert hostile.status_code == 200


# Lists whose order follows the texts, so that the same row has another place on the other server.
SORTED_BY_NAME = ("/speakers", "/rooms")


def unordered(skeleton):
    """A skeleton without the order of elements."""
    if isinstance(skeleton, (list, tuple)):
        return sorted(map(unordered, skeleton), key=repr)
    return skeleton


def test_every_linked_page_keeps_its_structure(pair):
    """Follows the links of both servers: program, sessions, tracks, speakers, rooms, subscriptions."""
    waiting, seen = [("/", "/")], set()

    def ask(paths):
        hostile, harmless = pair.alike(*paths)
        if not hostile.headers["Content-Type"].startswith("text/html") or paths[0].split("?")[0] in SORTED_BY_NAME:
            return []
        there = [[local(link, server) for link in skeletons.links(answer.content)]
                 for server, answer in zip(pair.servers, (hostile, harmless))]  # fmt: skip
        assert len(there[0]) == len(there[1]), paths
        assert [link is None for link in there[0]] == [link is None for link in there[1]], paths
        return [pairs for pairs in zip(*there) if None not in pairs]

    with ThreadPoolExecutor(4) as pool:
        while waiting:
            batch = [paths for paths in dict.fromkeys(waiting) if paths not in seen and not skipped(paths[0])]
            seen.update(batch)
            waiting = [found for links in pool.map(ask, batch) for found in links]
    pages = [path for path, _ in seen]
    for part, least in (("/sessions/", 300), ("/speakers/", 300), ("/tracks/", 300)):
        assert sum(path.startswith(part) for path in pages) >= least, part


def local(link: str, server: Server) -> str | None:
    link = link.removeprefix(server.origin)
    return link.split("#")[0] or None if link.startswith("/") and not link.startswith("//") else None


def skipped(path: str) -> bool:
    """Static files, most filters of a page, and the second form of each feed."""
    return path.startswith(("/assets/", "/handover/", "/?", "/mine?")) or bool(re.match(r"/subscribe/(sessions|speakers)/", path))


def test_single_feeds_keep_their_structure_in_three_foreign_parsers(pair):
    files = [[], []]
    for n in range(0, len(pair.rows), 4):
        if n % 50 == 4:
            continue
        for form in ("ics", "jcal"):
            answers = pair.alike(f"/sessions/row-{n:03}.{form}")
            assert answers[0].status_code == 200
            if form == "ics":
                for which, answer in enumerate(answers):
                    file = pair.folder / f"{which}-{n}.ics"
                    file.write_bytes(answer.content)
                    files[which].append(file)
    for which, answer in enumerate(pair.get("/program.ics")):
        files[which].append(pair.folder / f"{which}-program.ics")
        files[which][-1].write_bytes(answer.content)
    found = [by_ical_js(paths) for paths in files]
    assert len(found[0]) == len(files[0])
    assert found[0] == found[1]


def by_ical_js(files: list[Path]) -> list:
    command = ["node", str(Path(__file__).with_name("skeleton.js")), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_texts_of_the_feed_are_complete_and_stay_in_their_property(pair):
    """The title that icalendar reads is the title of the program."""
    import icalendar

    feed = icalendar.Calendar.from_ical(pair.servers[0].get("/program.ics").content)
    titles = {str(event["UID"]).split("@")[0]: str(event["SUMMARY"]) for event in feed.walk("VEVENT")}
    for row in second(pair.rows):
        title = row["title"]
        if re.match("'+[=+@-]", title):
            title = title[1:]  # an apostrophe that spreadsheets hide, and that schedule.csv writes again
        title = unicodedata.normalize("NFC", title)
        want = re.sub(r"\s+", "", "".join(c for c in title if c.isprintable()))
        have = re.sub(r"\s+", "", "".join(c for c in titles[row["id"]] if c.isprintable()))
        assert have == want, row["id"]
    names = {name for event in feed.walk("VEVENT") for name in event}
    assert not names & {"ATTENDEE", "ORGANIZER", "ATTACH", "RRULE", "X-EVIL"}, names


def test_titles_of_conference_and_venue_stay_text(tmp_path):
    """Puts sixteen texts into one title, since a server for each text would take minutes."""
    texts = [flat(text) for text in SENDABLE if len(text) < 200]
    rows = [cells(n, "plain") for n in range(4)]
    for row in rows:
        row["room"] = row["track"] = ""
    paths = ["/", "/sessions/row-001", "/changes", "/subscribe/program", "/program.ics", "/program.jcal", "/schedule.xml",
             "/schedule.json", "/changes.atom", "/changes.json", "/manifest.webmanifest", "/program.txt", "/agenda",
             "/sitemap.xml", "/nowhere"]  # fmt: skip
    baseline = None
    for at in [None, *range(0, len(texts), 16)]:
        home = tmp_path / f"title-{at}"
        home.mkdir()
        named = "Plain" if at is None else " | ".join(["", *texts[at : at + 16], ""])
        server = serve(home, config(home, [], f"{named} end", f"{named} end"), rows)
        try:
            found = [skeletons.of(server.get(path, Accept="text/html,*/*")) for path in paths]
        finally:
            server.kill()
        baseline = baseline or found
        for path, structure, plain in zip(paths, found, baseline):
            assert structure == plain, f"{path} of {named!r}: {difference(structure, plain)}"


def test_names_of_agendas_and_labels_of_links_stay_text(pair):
    server = pair.servers[0]
    baseline = None
    for text in ["plain", *PAYLOADS]:
        made = PATIENT.post(f"{server.origin}/api/v1/agendas", timeout=30,
                             data=json.dumps({"name": text[:60] + " end", "picks": ["row-000", "row-001"]}),
                             headers={"Content-Type": "application/json"})  # fmt: skip
        if not utf8(text[:60]):
            assert made.status_code == 400, text  # a lone surrogate is invalid (RFC 8259, 8.2)
            continue
        assert made.status_code == 201, made.text
        key = made.json()["edit_key"]
        bearer = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        label = PATIENT.post(f"{server.origin}/api/v1/agenda/links", timeout=30, headers=bearer,
                              data=json.dumps({"label": text[:60] + " end"}))  # fmt: skip
        assert label.status_code == 201, label.text
        feed = urlsplit(made.json()["read_links"][0]["feed"]).path
        token = feed.removesuffix(".ics")
        answers = [
            made, label, server.get("/api/v1/agenda", **bearer), server.get("/agenda", Cookie=f"agenda={key}"),
            server.get("/agenda/state", Cookie=f"agenda={key}"), server.get(feed), server.get(f"{token}.jcal"),
            server.get(token), server.get(f"{token}/changes.atom"), server.get(f"/subscribe{token}"),
        ]  # fmt: skip
        assert all(answer.ok for answer in answers), [answer.status_code for answer in answers]
        found = [skeletons.of(answer) for answer in answers]
        baseline = baseline or found
        for answer, structure, plain in zip(answers, found, baseline):
            assert structure == plain, f"{answer.url} of {text!r}: {difference(structure, plain)}"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A server with four harmless sessions, whose pages are parsed quickly."""
    folder = tmp_path_factory.mktemp("small")
    rows = [cells(n, "plain") for n in range(4)]
    server = serve(folder, config(folder, ["plain"] * 4, "Conference", "Venue"), rows)
    yield server
    server.kill()


def test_texts_of_a_request_stay_text_in_the_response(small):
    """Paths, filters, searches and fields of a request, on pages and in problem documents."""
    forms = ["/nowhere/{}", "/tracks/{}.ics", "/tracks/{}", "/sessions/{}", "/subscribe/{}", "/program.ics?track={}",
             "/program.ics?alarm={}", "/program.ics?{}=x", "/?q={}", "/?track={}", "/agendas/{}", "/handover/{}",
             "/assets/{}", "/api/v1/agenda/picks/{}"]  # fmt: skip
    plain = {}
    for text in ["plain", *PAYLOADS]:
        asked = quote(f"nowhereatall {text[:300]} zz".encode("utf-8", "surrogatepass"), safe="")
        for form, accept in product(forms, ("text/html", "*/*")):
            if accept == "*/*" and "?" not in form and text != "plain":
                continue  # the problem document does not depend on the path
            answer = small.get(form.format(asked), Accept=accept)
            assert answer.status_code in (200, 400, 401, 404, 405, 410), (form, text, answer.status_code)
            structure = skeletons.of(answer)
            expected = plain.setdefault((form, accept), structure)
            # Bytes that are invalid UTF-8 or an impossible name may get another error status.
            if structure[0] == expected[0]:
                assert structure == expected, f"{form} of {text!r}: {difference(structure, expected)}"


def test_hostile_header_fields_are_in_no_response(pair):
    server = pair.servers[1]
    for text in PAYLOADS:
        value = flat(text).encode("utf-8", "surrogatepass").replace(b"\0", b"").strip()[:500]
        value = b"x" + bytes(byte for byte in value if byte >= 32 and byte != 127) + b" evilmark"
        for name in ("User-Agent", "Referer", "Cookie", "Authorization", "If-None-Match", "Accept-Language", "Origin",
                     "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Accept"):  # fmt: skip
            answer = PATIENT.get(f"{server.origin}/nowhere", headers={name: value, "Accept-Encoding": "identity"}, timeout=10)
            assert answer.status_code in (400, 404), (name, text)
            assert b"evilmark" not in answer.content and "evilmark" not in str(answer.headers), (name, text)


def test_the_organizers_pages_show_texts_and_faults_as_text(pair):
    """Faults differ from those of the twin, so only the kinds of elements are compared."""
    raw = written([cells(n, text) for n, text in enumerate(SENDABLE)])
    calm = written([{**row, "room": "", "title": "same" * 300} for row in pair.twins])
    pages = []
    for server, files in zip(pair.servers, ((raw, written(pair.rows)), (calm, written(pair.twins)))):
        signed = PATIENT.post(f"{server.origin}/organizer/session", data={"secret": SECRET}, allow_redirects=False,
                               headers={"Sec-Fetch-Site": "same-origin"}, timeout=10)  # fmt: skip
        cookies = {"Cookie": signed.headers["Set-Cookie"].split(";")[0], "Sec-Fetch-Site": "same-origin"}
        cookies["Authorization"] = f"Bearer {SECRET}"
        kinds = set()
        for body in files:
            uploads = {"program": ("program.csv", body, "text/csv")}
            for answer in (
                PATIENT.post(f"{server.origin}/organizer/preview", files=uploads, headers=cookies, timeout=60),
                PATIENT.get(f"{server.origin}/organizer", headers=cookies, timeout=60),
                PATIENT.post(f"{server.origin}/organizer/releases/1/preview", headers=cookies, timeout=60),
            ):
                assert answer.status_code in (200, 422), answer.status_code
                kinds |= elements(skeletons.of_html(answer.content))
        pages.append(kinds)
        for path in ("/organizer/status", "/organizer/releases", "/organizer/releases/2", "/organizer/picks"):
            answer = PATIENT.get(server.origin + path, headers=cookies, timeout=60)
            assert answer.status_code == 200 and skeletons.of_json(answer.content), path
        kept = PATIENT.get(f"{server.origin}/organizer/releases/1/program.csv", headers=cookies, timeout=60)
        assert kept.status_code == 200
    # Without faults there is no list and no heading of it.
    assert pages[0] <= pages[1] | {("h2", ()), ("ul", ()), ("li", ())}, pages[0] - pages[1]


def elements(node) -> set:
    if isinstance(node, str):
        return {node}
    name, attributes, _, children = node
    return {(name, tuple(attributes))}.union(*map(elements, children))


def test_terminal_reports_and_logs_have_no_control_or_direction_characters(pair, tmp_path):
    raw, new = tmp_path / "raw.csv", tmp_path / "new.csv"
    raw.write_bytes(written([cells(n, text) for n, text in enumerate(SENDABLE)]))
    new.write_bytes(written(second(pair.rows)))
    old = pair.servers[0].program
    settings = str(pair.servers[0].config)
    feed = tmp_path / "hostile.ics"
    feed.write_bytes("".join(
        f"BEGIN:VCALENDAR\r\n{flat(text)}\r\nBEGIN:VEVENT\r\nUID:{text}\r\nDTSTART;TZID={flat(text)}:{text}\r\nEND:{text}\r\n"
        for text in SENDABLE
    ).encode())  # fmt: skip
    where = ["--to", pair.servers[0].origin, "--organizer-secret-file", str(pair.folder / "hostile/secret")]
    for arguments in (
        ["check", str(raw), "--config", settings], ["check", str(raw), "--config", settings, "--format", "json"],
        ["diff", str(old), str(new), "--config", settings], ["diff", str(raw), str(new), "--config", settings],
        ["diff", str(old), *where], ["publish", str(raw), *where], ["publish", str(old), "--dry-run", *where],
        ["lint", str(feed)], ["lint", str(feed), "--format", "json"], ["import", str(feed)],
        ["render", str(tmp_path / "out"), "--program", str(new), "--config", settings, "--data", str(tmp_path / "none")],
        ["deliver", "--once", "--config", settings, "--data", str(tmp_path / "none")],
    ):  # fmt: skip
        done = subprocess.run([str(BINARY), *arguments], capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
        is_csv = arguments[0] == "import"
        skeletons.of_text(done.stderr if is_csv else done.stdout + done.stderr)
    for server in pair.servers:
        skeletons.of_text(server.log.read_bytes().replace(b"\x1b[", b"["))


def test_calls_to_webhooks_keep_their_structure(pair):
    """The messages that a sender would get, through the control socket."""
    claimed = []
    for server in pair.servers:
        for _ in range(100):
            with socket.socket(socket.AF_UNIX) as control:
                control.connect(str(server.data / "control.sock"))
                control.sendall(b'deliver\n{"claim":{"limit":99,"busy":[],"wait_ms":0}}\n')
                messages = json.loads(control.makefile().readline())["claimed"]
            if len(messages) >= 2:
                break
            time.sleep(0.1)
        claimed.append(sorted(messages, key=lambda message: message["release"]))
    assert len(claimed[0]) == len(claimed[1]) >= 2
    for hostile, plain in zip(*claimed):
        bodies = (one["message"]["body"]["text"].encode() for one in (hostile, plain))
        assert skeletons.of_json(next(bodies)) == skeletons.of_json(next(bodies))
