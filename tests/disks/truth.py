"""The expected states of agendas and program: when each was requested, and when it was acknowledged.

A position is a number that the driver counts up, such as the length of the recorded log. A state is possible from the
position of its request on, and required from the position of its acknowledgement on.
"""

import random
import re
from dataclasses import dataclass, field

from server import SESSIONS, Answer, Client, program

GONE = None
EVER = float("inf")


@dataclass
class State:
    value: object
    begun: float
    acknowledged: float = EVER


@dataclass
class Promises:
    """The states of one agenda or program, in the order of the requests of its single writer."""

    states: list[State] = field(default_factory=list)

    def possible(self, at: float) -> list[object]:
        """The states that a disk may have after a cut at a position."""
        kept = [n for n, state in enumerate(self.states) if state.acknowledged <= at and state.acknowledged < EVER]
        first = kept[-1] if kept else 0
        values = [state.value for state in self.states[first:] if state.begun <= at]
        return values if kept else [GONE, *values]


@dataclass(frozen=True)
class Shown:
    """An agenda as its owner sees it. A link is identified by its label, which is never used twice."""

    name: str
    picks: frozenset
    links: frozenset

    @classmethod
    def of(cls, answer: dict) -> "Shown":
        return cls(answer["name"], frozenset(answer["picks"]), frozenset(link["label"] for link in answer["read_links"]))


class Agenda:
    """An agenda and its single writer."""

    def __init__(self, now, sessions: list[str] = SESSIONS, most: int = 8):
        """`most` limits the picks of one change."""
        self.now, self.sessions, self.most = now, sessions, most
        self.promises = Promises()
        self.key = self.feed = None
        self.shown = GONE
        self.numbers: dict[str, int] = {}
        self.labels = 0

    def create(self, client: Client, dice: random.Random) -> Answer:
        wanted = Shown(f"n{dice.randrange(10**6)}", frozenset(dice.sample(self.sessions, dice.randint(0, self.most // 2))), frozenset([""]))
        begun = self.now()
        answer = client.ask("POST", "/api/v1/agendas", {"name": wanted.name, "picks": sorted(wanted.picks)})
        if answer.status == 201:
            made = answer.json()
            self.key, self.shown = made["edit_key"], wanted
            self.feed = made["read_links"][0]["feed"].removeprefix("http://conf.example")
            self.numbers[""] = made["read_links"][0]["n"]
            self.promises.states.append(State(wanted, begun, self.now()))
        return answer

    def change(self, client: Client, dice: random.Random, kind: str | None = None) -> Answer:
        """Makes a given or random change. Without an acknowledgement the outcome of the change is unknown: see `settle`."""
        shown, id = self.shown, dice.choice(self.sessions)
        kinds = ["pick"] * 5 + ["unpick"] * 2 + ["replace", "name", "link"] + ["revoke"] * bool(len(shown.links) > 1)
        kind = kind or dice.choice(kinds)
        if len(shown.links) > 15 and kind == "link":
            kind = "pick"
        method, path, body, label = "PUT", f"/api/v1/agenda/picks/{id}", None, None
        name, picks, links = shown.name, shown.picks, shown.links
        if kind == "pick":
            picks = picks | {id}
        elif kind == "unpick":
            method, picks = "DELETE", picks - {id}
        elif kind == "replace":
            picks = frozenset(dice.sample(self.sessions, dice.randint(0, self.most)))
            path, body = "/api/v1/agenda/picks", sorted(picks)
        elif kind == "name":
            name = f"n{dice.randrange(10**6)}" + "x" * dice.choice([0, 0, 60])
            method, path, body = "PATCH", "/api/v1/agenda", {"name": name}
        elif kind == "link":
            self.labels += 1
            label = f"l{self.labels}"
            method, path, body, links = "POST", "/api/v1/agenda/links", {"label": label}, links | {label}
        else:
            revoked = dice.choice(sorted(links))
            method, path, links = "DELETE", f"/api/v1/agenda/links/{self.numbers[revoked]}", links - {revoked}
        wanted = Shown(name, picks, links)
        state = State(wanted, self.now())
        self.promises.states.append(state)
        answer = client.ask(method, path, body, self.key)
        if 200 <= answer.status < 300:
            state.acknowledged = self.now()
            self.shown = wanted
            if label:
                self.numbers[label] = answer.json()["n"]
        return answer

    def look(self, client: Client) -> tuple[int, object]:
        answer = client.ask("GET", "/api/v1/agenda", key=self.key)
        if answer.status == 401:
            return 401, GONE
        if answer.status != 200:
            return answer.status, None
        json = answer.json()
        self.numbers |= {link["label"]: link["n"] for link in json["read_links"]}
        return 200, Shown.of(json)

    def settle(self, client: Client) -> str | None:
        """After a request without an acknowledgement: the state that is there counts as acknowledged from now on."""
        status, found = self.look(client)
        possible = self.promises.possible(EVER)
        if status not in (200, 401):
            return f"an agenda is answered with {status}"
        if found not in possible:
            return f"an agenda is {found}, promised was one of {possible}"
        self.shown = found
        self.promises.states = [State(found, self.now(), self.now())]
        return None


def sequences(feed: bytes) -> dict[str, int]:
    text = feed.replace(b"\r\n ", b"").decode()
    found = {}
    for event in text.split("BEGIN:VEVENT")[1:]:
        found[re.search(r"UID:(\S+)", event)[1]] = int(re.search(r"SEQUENCE:(\d+)", event)[1])
    return found


class Program:
    """The program and its single publisher. A state is a release's number and its variant."""

    def __init__(self, now, sessions: list[str] = SESSIONS):
        self.now, self.sessions = now, sessions
        self.promises = Promises()
        self.variants = {1: 0}
        self.served: dict[int, tuple[bytes, float]] = {}
        self.number = 0

    def begin(self) -> None:
        """Before the first start, which publishes release 1."""
        self.promises.states.append(State(1, self.now()))

    def read(self, client: Client, number: int) -> str | None:
        """Reads the feed of the live release. The same release always has the same bytes."""
        answer = client.ask("GET", "/program.ics")
        if answer.status != 200:
            return f"the program's feed is answered with {answer.status}"
        before = self.served.setdefault(number, (answer.body, self.now()))[0]
        for state in self.promises.states:
            if state.value == number:
                state.acknowledged = min(state.acknowledged, self.now())
        self.number = max(self.number, number)
        return None if before == answer.body else f"the feed of release {number} is no longer the one that was served"

    def publish(self, client: Client, dice: random.Random) -> Answer:
        """Publishes another variant, or restores an earlier release."""
        number = self.number + 1
        back = dice.randint(1, self.number) if self.number > 1 and dice.random() < 0.3 else None
        if back and self.variants[back] == self.variants[self.number]:
            back = None
        variant = self.variants[back] if back else self.variants[self.number] + dice.randint(1, 3)
        state = State(number, self.now())
        self.variants[number] = variant
        self.promises.states.append(state)
        if back:
            answer = client.organize("POST", f"/organizer/releases/{back}/publish")
        else:
            answer = client.organize("PUT", "/organizer/program", program(variant, self.sessions))
        if answer.status == 201 and answer.json()["release"] == number:
            state.acknowledged = self.now()
            self.number = number
        return answer

    def look(self, client: Client) -> tuple[int, int]:
        answer = client.organize("GET", "/organizer/releases")
        if answer.status != 200:
            return answer.status, 0
        rows = answer.json()["releases"]
        return 200, rows[0]["release"] if rows else 0

    def settle(self, client: Client) -> str | None:
        status, found = self.look(client)
        if status != 200:
            return f"the releases are answered with {status}"
        if found not in self.promises.possible(EVER):
            return f"release {found} runs, promised was one of {self.promises.possible(EVER)}"
        self.number = found
        self.promises.states = [State(found, self.now(), self.now())]
        return self.read(client, found)


def judge(client: Client, agendas: list[Agenda], programme: Program, at: float) -> list[str]:
    """Compares a server after a cut at a position with the expected states."""
    faults = []
    for n, agenda in enumerate(agendas):
        possible = agenda.promises.possible(at)
        if possible == [GONE]:
            continue  # not requested yet
        status, found = agenda.look(client)
        if status not in (200, 401):
            faults.append(f"agenda {n} is answered with {status}")
        elif found not in possible:
            faults.append(f"agenda {n} is {found}, promised was one of {possible}")
        elif found is not GONE and "" in found.links:
            feed = client.ask("GET", agenda.feed)
            picks = set(re.findall(rb"UID:([a-z0-9-]+)@", feed.body.replace(b"\r\n ", b"")))
            if feed.status != 200 or picks != {id.encode() for id in found.picks}:
                faults.append(f"the feed of agenda {n} is answered with {feed.status} and {sorted(picks)}")
    status, number = programme.look(client)
    feed = client.ask("GET", "/program.ics")
    possible = programme.promises.possible(at)
    if status != 200 or feed.status != 200:
        return [*faults, f"releases are answered with {status}, the program's feed with {feed.status}"]
    if number not in possible and not (number == 1 and GONE in possible):
        faults.append(f"release {number} runs, promised was one of {possible}")
    was_served = {n: body for n, (body, seen) in programme.served.items() if seen <= at}
    if was_served.get(number, feed.body) != feed.body:
        faults.append(f"the feed of release {number} is not the one that was served before")
    now = sequences(feed.body)
    for uid, sequence in sequences(was_served[max(was_served)] if was_served else b"").items():
        if now.get(uid, -1) < sequence:
            faults.append(f"the sequence of {uid} fell from {sequence} to {now.get(uid)}")
    for n in range(1, number + 1):
        kept = client.organize("GET", f"/organizer/releases/{n}/program.csv")
        if kept.status != 200 or kept.body != program(programme.variants.get(n, -1), programme.sessions):
            faults.append(f"the program of release {n} is answered with {kept.status}, or is another one")
    return faults
