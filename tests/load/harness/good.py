"""A well-behaved client: one request after the other, alternately on a persistent connection and on a new one."""

import multiprocessing
import socket
import time

HEAD = b"%s %s HTTP/1.1\r\nHost: conf.example\r\n%s\r\n"


class Connection:
    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def ask(
        self, path: str, fields: bytes = b"", method: str = "GET", body: bytes = b""
    ) -> tuple[int, dict[bytes, bytes], bytes]:
        """Returns status, fields and body. Raises an OSError if the answer is incomplete."""
        self.socket.sendall(HEAD % (method.encode(), path.encode(), fields) + body)
        while b"\r\n\r\n" not in self.rest:
            self._more()
        head, _, self.rest = self.rest.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        found = dict(line.lower().split(b": ", 1) for line in lines[1:])
        length = int(found.get(b"content-length", b"0"))
        while len(self.rest) < length:
            self._more()
        body, self.rest = self.rest[:length], self.rest[length:]
        return int(lines[0].split()[1]), found, body

    def _more(self) -> None:
        piece = self.socket.recv(65536)
        if not piece:
            raise OSError("the connection closed before its answer was whole")
        self.rest += piece

    def close(self) -> None:
        self.socket.close()


def percentile(latencies: list[float], share: float) -> float:
    ranked = sorted(latencies)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else float("inf")


def _serve(port: int, path: str, stop, results, pause: float) -> None:
    latencies, failures, kept = [], [], None
    while not stop.is_set():
        # The pause is so short that the persistent connection never counts as idle.
        time.sleep(pause)
        for is_fresh in (False, True):
            started = time.monotonic()
            try:
                if is_fresh:
                    connection = Connection(port)
                else:
                    connection = kept = kept or Connection(port)
                status, _, body = connection.ask(path)
                if status != 200 or not body.endswith(b"END:VCALENDAR\r\n"):
                    failures.append(f"status {status}, {len(body)} bytes")
                if is_fresh:
                    connection.close()
            except OSError as error:
                failures.append(f"{'fresh' if is_fresh else 'kept'}: {error}")
                kept = kept if is_fresh else None
            latencies.append(time.monotonic() - started)
    results.put((latencies, failures))


class Good:
    """A well-behaved client in a process of its own, so that the attacking process does not delay its measurements."""

    def __init__(self, port: int, path: str = "/tracks/track-1.ics", pause: float = 0.002):
        self.stop, self.results = multiprocessing.Event(), multiprocessing.Queue()
        arguments = (port, path, self.stop, self.results, pause)
        self.process = multiprocessing.Process(target=_serve, args=arguments, daemon=True)
        self.process.start()

    def end(self) -> tuple[list[float], list[str]]:
        self.stop.set()
        result = self.results.get(timeout=60)
        self.process.join()
        return result
