"""Clients that read a feed again and again, on new and on persistent connections, and check every answer; and clients that
write, one request after the other."""

import multiprocessing
import re

from .good import Connection

STAMP = re.compile(rb"SUMMARY:R(\d+) ")


def _look(path: str, answer, expect_stamp: bool, seen: dict) -> str | None:
    status, fields, body = answer
    if status != 200 or not body.endswith(b"END:VCALENDAR\r\n"):
        return f"{path}: status {status}, {len(body)} bytes"
    tag = fields.get(b"etag")
    if seen.setdefault((path, tag), body) != body:
        return f"{path}: two bodies under one tag"
    stamps = set(STAMP.findall(body))
    if expect_stamp and len(stamps) != 1:
        return f"{path}: an answer of releases {sorted(stamps)}"
    return None


def _read(port: int, paths: list[str], expect_stamp: bool, stop, results) -> None:
    answers, failures, mixed, retries, kept, turn, seen = 0, [], [], 0, None, 0, {}
    while not stop.is_set():
        turn += 1
        path = paths[turn % len(paths)]
        answer = None
        try:
            if turn % 2:
                connection = Connection(port)
                answer = connection.ask(path)
                connection.close()
            else:
                try:
                    kept = kept or Connection(port)
                    answer = kept.ask(path)
                except OSError:
                    # A server may close a persistent connection before it reads a request; the client then retries
                    # (RFC 9112, 9.3.1). It must not close a connection within an answer.
                    if kept is None or kept.rest:
                        raise
                    retries += 1
                    kept = Connection(port)
                    answer = kept.ask(path)
        except OSError as error:
            kept = None
            failures.append(f"{path}: {error!r}")
        if answer:
            answers += 1
            wrong = _look(path, answer, expect_stamp, seen)
            if wrong:
                mixed.append(wrong)
            if answer[1].get(b"connection") == b"close":
                kept = None
            if len(seen) > 200:
                seen.clear()
    results.put((answers, failures, mixed, retries))


class _Clients:
    """Processes that send requests until they are stopped, and then report."""

    def __init__(self, target, arguments: tuple, count: int):
        self.stop, self.results = multiprocessing.Event(), multiprocessing.Queue()
        arguments = (*arguments, self.stop, self.results)
        self.processes = [multiprocessing.Process(target=target, args=arguments, daemon=True) for _ in range(count)]
        for process in self.processes:
            process.start()

    def reports(self) -> list[tuple]:
        self.stop.set()
        results = [self.results.get(timeout=60) for _ in self.processes]
        for process in self.processes:
            process.join()
        return results


class Readers(_Clients):
    def __init__(self, port: int, paths: list[str], expect_stamp: bool, count: int = 3):
        super().__init__(_read, (port, paths, expect_stamp), count)

    def end(self, verdict) -> None:
        results = self.reports()
        answers, retries = sum(result[0] for result in results), sum(result[3] for result in results)
        failures = [failure for result in results for failure in result[1]]
        mixed = [wrong for result in results for wrong in result[2]]
        print(f"         {answers} answers, {retries} asked anew on a kept connection that had closed", flush=True)
        verdict.holds(f"{len(failures)} failed {failures[:3] or ''}", not failures and answers > 0)
        verdict.holds(f"{len(mixed)} mixed answers {mixed[:3] or ''}", not mixed)


def _write(port: int, stop, results) -> None:
    answers, unanswered, kept = 0, [], None
    while not stop.is_set():
        try:
            kept = kept or Connection(port)
            # Requests follow each other without a pause, so the server must not close the connection as idle.
            status, fields, _ = kept.ask("/api/v1/agendas", POST, "POST", b"{}")
            answers += 1
            if fields.get(b"connection") == b"close":
                kept = None
        except OSError as error:
            unanswered.append(repr(error))
            kept = None
    results.put((answers, unanswered))


POST = b"Content-Type: application/json\r\nContent-Length: 2\r\n"


class Writers(_Clients):
    """Writers on persistent connections. Clients do not retry writes, so each write must get an answer."""

    def __init__(self, port: int, count: int = 3):
        super().__init__(_write, (port,), count)

    def end(self, verdict) -> None:
        results = self.reports()
        answers = sum(result[0] for result in results)
        unanswered = [error for result in results for error in result[1]]
        verdict.holds(
            f"{answers} writes answered, {len(unanswered)} not {unanswered[:3] or ''}", answers > 0 and not unanswered
        )
