"""Clients that send the head and the body of a request in two writes on a persistent connection. The connection must stay
open, or the response must announce its end. Seen with vdirsyncer 0.19 and aiohttp."""

import socket
import time

import pytest

from organizer import Organizer

BODY = b'<d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/></d:prop></d:propfind>'

REQUESTS = [
    ("PROPFIND", "/"), ("PROPFIND", "/.well-known/caldav"), ("PROPFIND", "/program.ics"), ("POST", "/"),
    ("PROPFIND", "/dav/public/"), ("PROPFIND", "/dav/agendas/"), ("PROPFIND", "/dav/nowhere/"),
    ("PUT", "/dav/public/program/x.ics"), ("PROPFIND", "/principals/"), ("PUT", "/api/v1/agenda/picks/slow-queries"),
    ("POST", "/organizer/preview"), ("BREW", "/"),
]  # fmt: skip


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    server = Organizer(tmp_path_factory.mktemp("split"))
    server.start()
    yield int(server.origin.rsplit(":", 1)[1])
    server.stop()


def answer(sock: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = sock.recv(65536)
        assert piece, f"closed instead of answered: {received!r}"
        received += piece
    head, _, body = received.lower().partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += sock.recv(65536)
    return head


@pytest.mark.parametrize("gap", [0.0, 0.005, 0.1])
@pytest.mark.parametrize("method, path", REQUESTS)
def test_the_connection_stays_open(port, method, path, gap):
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nDepth: 0\r\nContent-Length: {len(BODY)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(10):
            sock.sendall(head.encode())
            time.sleep(gap)
            sock.sendall(BODY)
            assert b"connection: close" not in answer(sock)
            sock.sendall(b"GET /robots.txt HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answer(sock).startswith(b"http/1.1 200")


def test_the_end_is_announced_if_the_body_is_not_read(port):
    for method, path in REQUESTS:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
            sock.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n".encode())
            assert b"connection: close" in answer(sock), path
