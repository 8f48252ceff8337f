"""Attacks by one client. Each runs twice, while another client at the same address must not be affected."""

import re
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from organizer import Organizer
from server import BINARY

ROUNDS = 2


@pytest.fixture
def site(tmp_path):
    server = Organizer(tmp_path)
    server.start()
    yield server
    server.stop()


class Visitor:
    """A browser without scripts: its cookie, its agenda."""

    def __init__(self, site):
        self.site, self.session = site, requests.Session()
        self.session.headers["Origin"] = site.origin
        assert self.post("/agenda/picks", session="slow-queries").status_code == 200

    def post(self, path, **form):
        return self.session.post(self.site.origin + path, data=form, timeout=10)

    def hand_over(self):
        """The status, and the path of a hand-over link."""
        answer = self.post("/agenda/handover")
        found = re.search(r"/handover/[a-z2-7]+", answer.text)
        return answer.status_code, found and found[0]

    def picks(self):
        return self.session.get(self.site.origin + "/agenda/state", timeout=10).json()["picks"]


def test_a_flood_of_hand_over_links_leaves_the_links_of_others_valid(site):
    bystander = Visitor(site)
    status, link = bystander.hand_over()
    assert (status, requests.get(site.origin + link, timeout=10).status_code) == (200, 200)
    for _ in range(ROUNDS):
        attackers = [Visitor(site) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(lambda one: {one.hand_over()[0] for _ in range(200)}, attackers))
        assert set().union(*statuses) <= {200, 429, 503} and 429 in set().union(*statuses)
        assert requests.get(site.origin + link, timeout=10).status_code == 200
    # A later visitor gets a link too.
    assert Visitor(site).hand_over()[0] == 200
    assert bystander.picks() == ["slow-queries"]


def test_making_and_revoking_links_does_not_grow_the_store_without_limit(site):
    def records():
        done = subprocess.run([str(BINARY), "backup", "-", "--config", str(site.config), "--data", str(site.data)],
                              capture_output=True, check=True, timeout=60)  # fmt: skip
        return len(done.stdout.splitlines())

    def agenda():
        made = requests.post(site.origin + "/api/v1/agendas", json={"picks": ["slow-queries"]}, timeout=10)
        return {"Authorization": "Bearer " + made.json()["edit_key"]}

    def churn(key):
        """The number of links made before the limit."""
        links = site.origin + "/api/v1/agenda/links"
        for made in range(1000):
            answer = requests.post(links, json={"label": "x"}, headers=key, timeout=10)
            if answer.status_code == 429:
                assert int(answer.headers["Retry-After"]) > 0
                return made
            assert answer.status_code == 201, answer.text
            number = max(link["n"] for link in [answer.json(), *answer.json().get("read_links", [])] if "n" in link)
            assert requests.delete(f"{links}/{number}", headers=key, timeout=10).status_code in (200, 204)
        raise AssertionError("no limit")

    attacker, bystander = agenda(), agenda()
    before = records()
    assert churn(attacker) <= 50
    for _ in range(ROUNDS):
        assert churn(attacker) <= 1
    assert records() - before <= 200
    answer = requests.post(site.origin + "/api/v1/agenda/links", json={"label": "mine"}, headers=bystander, timeout=10)
    assert answer.status_code == 201


def test_parallel_guesses_are_counted_before_they_are_checked(site):
    """Sends all requests without their last byte, then all last bytes, so that all requests are complete at once."""
    host, port = site.origin.removeprefix("http://").split(":")

    def guess(n):
        body = f"secret=guess{n:015}".encode()
        head = (f"POST /organizer/session HTTP/1.1\r\nHost: x\r\nOrigin: {site.origin}\r\nX-Forwarded-For: 203.0.113.77\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n")  # fmt: skip
        sock = socket.create_connection((host, int(port)), timeout=10)
        sock.sendall(head.encode() + body[:-1])
        return sock, body[-1:]

    statuses = []
    for _ in range(ROUNDS):
        waiting = [guess(n) for n in range(200)]
        time.sleep(0.5)
        for sock, last in waiting:
            sock.sendall(last)
        for sock, _ in waiting:
            statuses.append(int(sock.recv(4096).split(b" ")[1]))
            sock.close()
    # Ten are allowed at once, and one more for each minute of the test.
    assert set(statuses) == {401, 429} and statuses.count(401) <= 12
    # The organizer signs in from another address.
    assert site.status()["release"] >= 1
