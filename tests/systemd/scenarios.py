"""The work of an operator, from the package to a restored backup. Runs in the machine that tests/systemd/run boots; later
scenarios build on earlier ones."""

import contextlib
import hashlib
import hmac
import http.server
import json
import os
import re
import signal
import sys
import threading
import time
from pathlib import Path

from machine import (
    HOME, Failed, Receiver, ask, check, is_active, journal, json_of, main_pid, property_of, readme, run, scenario, status_of, wait_for,
)  # fmt: skip

NAME = "srecon25americas"
SERVICE, SOCKET = f"callboard@{NAME}.service", f"callboard@{NAME}.socket"
DELIVER = f"callboard-deliver@{NAME}.service"
CONFIG = Path(f"/etc/callboard/{NAME}")
ORIGIN = "http://127.0.0.1:8080"
SECOND = "http://127.0.0.1:8081"
SECRETS = CONFIG / "organizer-secrets"


# --- installing and starting ---------------------------------------------------------------------------------


@scenario
def readme_leads_to_a_served_feed():
    readme("install")
    wait_for(lambda: is_active(SERVICE) and is_active(SOCKET), "the service and its socket are active")
    check(status_of(ORIGIN + "/program.ics") == 200, "the feed is not served")
    check(property_of(SERVICE, "NRestarts") == "0", "the service did not start at once")
    for unit in (SERVICE, SOCKET, f"callboard-backup@{NAME}.timer", f"callboard-deliver@{NAME}.service"):
        check(run("systemctl", "is-enabled", unit).strip() == "enabled", f"{unit} is not enabled")


@scenario
def the_config_is_checked_beside_the_running_service():
    readme("config-check")


@scenario
def without_secrets_nobody_publishes():
    check(not SECRETS.exists(), "there are secrets already")
    check(status_of(ORIGIN + "/organizer/status", secret="guess") in (401, 404), "the desk opened without secrets")


@scenario
def the_sandbox_is_on():
    pid = main_pid(SERVICE)
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":\t") for line in status.splitlines() if ":\t" in line)
    check(int(fields["CapBnd"], 16) == 0, "the server has capabilities")
    check(fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2", "no seccomp filter")
    check(fields["Uid"].split()[0] != "0", "the server runs as root")
    check(os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/1/ns/net"), "the server has a way out")
    check(os.readlink(f"/proc/{pid}/ns/user") != os.readlink("/proc/1/ns/user"), "no user namespace of its own")


@scenario
def a_request_to_the_socket_starts_the_service():
    run("systemctl", "stop", SERVICE)
    check(not is_active(SERVICE) and is_active(SOCKET), "the socket went with the service")
    check(status_of(ORIGIN + "/program.ics") == 200, "nobody answered")
    check(is_active(SERVICE), "the service was not started")


# --- organizer secrets ---------------------------------------------------------------------------------------


def accepts(secret: str) -> bool:
    return status_of(ORIGIN + "/organizer/status", secret=secret) == 200


def refuses(secret: str) -> bool:
    return status_of(ORIGIN + "/organizer/status", secret=secret) == 401


def kept(name: str) -> str:
    return HOME.joinpath(name).read_text().strip()


@scenario
def an_added_secret_works_after_a_reload():
    before = main_pid(SERVICE)
    readme("organizer-secret")
    check(accepts(kept("chair.secret")), "the added secret is not valid when the reload has ended")
    check(main_pid(SERVICE) == before, "a reload restarted the service")
    check(kept("chair.secret") not in SECRETS.read_text(), "the file holds the secret itself")
    check(refuses("guess"), "a wrong secret is accepted")


@scenario
def a_removed_secret_is_refused_after_a_reload():
    before = main_pid(SERVICE)
    readme("rotate-secret")
    check(refuses(kept("chair.secret")), "the removed secret is valid after the reload has ended")
    check(accepts(kept("chair-2.secret")), "the new secret is refused")
    check(main_pid(SERVICE) == before, "a reload restarted the service")


@scenario
def a_reload_with_a_wrong_config_fails_and_changes_nothing():
    config = SECRETS.with_name("callboard.toml")
    text, before = config.read_text(), main_pid(SERVICE)
    config.write_text("no_such_key = 1\n" + text)
    run("systemctl", "reload", SERVICE, fails=True)
    check(status_of(ORIGIN + "/program.ics") == 200 and main_pid(SERVICE) == before, "the server does not go on")
    config.write_text(text)
    run("systemctl", "reload", SERVICE)
    check(main_pid(SERVICE) == before, "a reload restarted the service")


@scenario
def a_start_with_secrets_accepts_them():
    run("systemctl", "restart", SERVICE)
    check(accepts(kept("chair-2.secret")), "the secret is refused")
    check(refuses(kept("chair.secret")), "the removed secret is accepted")


# --- health and metrics --------------------------------------------------------------------------------------

OPERATOR = "http://127.0.0.1:9090"


@scenario
def health_and_metrics_are_on_a_socket_of_their_own():
    readme("operator-socket")
    check(json_of(OPERATOR + "/readyz"), "not ready")
    check(b"callboard_" in ask(OPERATOR + "/metrics")[1], "no metrics")
    check(status_of(ORIGIN + "/metrics") == 404, "everybody can read the metrics")
    check(status_of(OPERATOR + "/program.ics") == 404, "the operator's socket serves the conference")
    check(status_of(ORIGIN + "/program.ics") == 200, "the conference is not served")
    run("systemctl", "stop", SOCKET, SERVICE)
    check(not is_active(f"callboard-operator@{NAME}.socket"), "a scrape would start the stopped service")
    run("systemctl", "start", SOCKET, SERVICE)
    check(status_of(OPERATOR + "/readyz") == 200, "the operator's socket did not start with the other")


@scenario
def a_socket_may_have_several_addresses():
    drop_in = Path(f"/etc/systemd/system/{SOCKET}.d/more.conf")
    drop_in.parent.mkdir()
    drop_in.write_text("[Socket]\nListenStream=127.0.0.1:8085\n")
    run("systemctl", "daemon-reload")
    run("systemctl", "stop", SERVICE, SOCKET)
    run("systemctl", "start", SOCKET, SERVICE)
    for origin in (ORIGIN, "http://127.0.0.1:8085"):
        check(status_of(origin + "/program.ics") == 200, f"{origin} is not served")
    check(status_of(OPERATOR + "/readyz") == 200, "the operator's socket is gone")
    drop_in.unlink()
    run("systemctl", "daemon-reload")
    run("systemctl", "stop", SERVICE, SOCKET)
    run("systemctl", "start", SOCKET, SERVICE)


# --- restarts under load -------------------------------------------------------------------------------------


@contextlib.contextmanager
def load():
    """Requests of four clients, one connection each request. Every one of them must be answered with 200."""
    over, answered, failures = threading.Event(), [], []

    def client():
        while not over.is_set():
            try:
                status = status_of(ORIGIN + "/program.ics")
                (answered if status == 200 else failures).append(status)
            except OSError as error:
                failures.append(repr(error))

    clients = [threading.Thread(target=client, daemon=True) for _ in range(4)]
    for each in clients:
        each.start()
    try:
        time.sleep(0.3)
        yield
        time.sleep(0.3)
    finally:
        over.set()
        for each in clients:
            each.join()
    check(len(answered) > 100, f"only {len(answered)} requests were answered")
    check(not failures, f"{len(failures)} of {len(answered) + len(failures)} requests failed: {failures[:3]}")


@scenario
def a_restart_fails_no_request():
    with load():
        for _ in range(3):
            before = main_pid(SERVICE)
            run("systemctl", "restart", SERVICE)
            check(main_pid(SERVICE) != before, "the service was not restarted")


@scenario
def an_upgrade_restarts_the_service_and_fails_no_request():
    before = main_pid(SERVICE)
    with load():
        run("bash", "-c", "dpkg -i target/debian/callboard_*_amd64.deb")
        wait_for(lambda: main_pid(SERVICE) not in (0, before), "the new binary runs")


# --- a second conference, and the watchdog -------------------------------------------------------------------


@scenario
def two_conferences_run_side_by_side():
    readme("second-conference")
    wait_for(lambda: status_of(SECOND + "/program.ics") == 200, "the second conference is served")
    check(status_of(ORIGIN + "/program.ics") == 200, "the first conference is gone")
    check(main_pid(SERVICE) != main_pid("callboard@devconf.service"), "one process serves both")
    check("127.0.0.1:8081" in journal("callboard@devconf.service"), "the log names another address")
    run("systemctl", "stop", SERVICE)
    check(status_of(SECOND + "/program.ics") == 200, "the second conference stopped with the first")
    run("systemctl", "start", SERVICE)
    check(refuses("guess") and status_of(SECOND + "/organizer/status", secret=kept("chair-2.secret")) != 200,
          "the first conference's secret opens the second")  # fmt: skip


HUNG = {}


@scenario
def a_server_that_hangs_is_noticed_meanwhile():
    """Suspends the process of the second conference. One of the last scenarios checks that the watchdog restarted it."""
    HUNG["pid"] = main_pid("callboard@devconf.service")
    check(HUNG["pid"], "the second conference does not run")
    os.kill(HUNG["pid"], signal.SIGSTOP)
    check(status_of(ORIGIN + "/program.ics") == 200, "the first conference hangs too")


# --- a followed source ---------------------------------------------------------------------------------------


FOLLOW = f"callboard-follow@{NAME}.service"


class Published(http.server.ThreadingHTTPServer):
    """A server with a program, on a port of this machine."""

    def __init__(self, port: int, text: str):
        self.text, self.tokens = text, []
        published = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                published.tokens.append(self.headers.get("Authorization"))
                body = published.text.encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


@scenario
def a_program_elsewhere_is_followed_with_a_root_only_token():
    text = (CONFIG / "program.csv").read_text()
    source = Published(8092, text)
    config = CONFIG / "callboard.toml"
    before = config.read_text()
    headers = CONFIG / "source-headers"
    config.write_text(before + '\n[source]\nurl = "http://127.0.0.1:8092/program.csv"\nevery = "1s"\n')
    readme("follow")
    wait_for(lambda: source.tokens, f"the source is read: {journal(FOLLOW)}")
    config.write_text(config.read_text() + f'headers_file = "{headers}"\n')
    os.environ["TOKEN"] = "s3cret-of-the-source"
    readme("source-headers")
    check(headers.stat().st_mode & 0o777 == 0o600 and headers.stat().st_uid == 0, "the token is not root's alone")
    wait_for(lambda: source.tokens[-1] == "Token s3cret-of-the-source", f"the token is sent: {journal(FOLLOW)}")
    number = release()
    source.text = re.sub(r"Opening Remarks( \d+)?", "Opening Remarks elsewhere", text, count=1)
    wait_for(lambda: release() > number, f"the change is published: {journal(FOLLOW)}")
    check(b"Opening Remarks elsewhere" in ask(ORIGIN + "/program.ics")[1], "the feed has another title")
    check("s3cret" not in journal(FOLLOW) and "s3cret" not in journal(SERVICE), "the token is in the journal")
    run("systemctl", "disable", "--now", FOLLOW)
    check(property_of(FOLLOW, "Result") == "success", "following did not stop cleanly")
    source.shutdown()
    config.write_text(before)
    run("systemctl", "reload", SERVICE)


# --- webhooks ------------------------------------------------------------------------------------------------


@scenario
def a_release_reaches_a_webhook_signed_by_a_root_only_secret():
    receiver = Receiver(8090)
    readme("webhook-secret")
    secret = CONFIG / "webhook-secrets" / "chat"
    check(secret.stat().st_mode & 0o777 == 0o600 and secret.stat().st_uid == 0, "the secret is not root's alone")
    with (CONFIG / "callboard.toml").open("a") as config:
        config.write(f'\n[[webhooks]]\nurl = "{receiver.url}"\nsecret_file = "{secret}"\n')
    run("systemctl", "reload", SERVICE)
    wait_for(lambda: 'changed="webhooks"' in journal(SERVICE), "the config is read again")
    # systemd passes secrets at the start of the unit.
    run("systemctl", "restart", DELIVER)
    publish()
    wait_for(lambda: receiver.calls, f"a call arrives: {journal(DELIVER)}")
    check(is_active(DELIVER), "the delivery service ended")
    headers, body = receiver.calls[-1]
    signed = f"{headers['callboard-timestamp']}.".encode() + body
    expected = hmac.new(secret.read_bytes().strip(), signed, hashlib.sha256).hexdigest()
    check(headers["callboard-signature"] == f"sha256={expected}", "the signature is another secret's")
    check(json.loads(body)["release"] == release(), "it tells of another release")
    receiver.stop()


def release() -> int:
    return json_of(ORIGIN + "/api/v1/releases")["running"]


def publish():
    """Saves the program with another title, as an editor does, and waits for the release."""
    before, file = release(), CONFIG / "program.csv"
    text, found = re.subn(r"Opening Remarks( \d+)?", f"Opening Remarks {before}", file.read_text(), count=1)
    check(found, "the sample program has no opening remarks")
    part = CONFIG / ".program.csv.part"
    part.write_text(text)
    part.chmod(0o644)
    part.rename(file)
    wait_for(lambda: release() > before, "the saved program is published")


@scenario
def delivery_without_any_secret_directory_works():
    run("systemctl", "start", "callboard-deliver@devconf.service")
    check(is_active("callboard-deliver@devconf.service"), "delivery failed")
    run("systemctl", "stop", "callboard-deliver@devconf.service")
    check(property_of("callboard-deliver@devconf.service", "Result") == "success", "delivery did not stop cleanly")


@scenario
def a_killed_delivery_service_comes_back_and_delivers():
    receiver = Receiver(8090)
    before = main_pid(DELIVER)
    os.kill(before, signal.SIGKILL)
    wait_for(lambda: is_active(DELIVER) and main_pid(DELIVER) not in (0, before), "the delivery service comes back")
    publish()
    wait_for(lambda: receiver.calls, f"a call arrives: {journal(DELIVER)}")
    receiver.stop()


@scenario
def timers_are_scheduled():
    timer = f"callboard-backup@{NAME}.timer"
    check(is_active(timer), f"{timer} is not active")
    check(run("systemctl", "list-timers", "--no-legend", timer).split()[0] != "n/a", f"{timer} never elapses")


# --- failures ------------------------------------------------------------------------------------------------


@scenario
def a_failed_unit_is_logged_as_an_alert_and_runs_the_hook():
    receiver = Receiver(8091)
    readme("failure-hook")
    hook = Path("/etc/callboard/on-failure")
    check(os.access(hook, os.X_OK), "README makes no hook")
    hook.write_text(f'#!/bin/sh\ncurl -s -d "$1" {receiver.url}\n')
    config = CONFIG / "callboard.toml"
    right = config.read_text()
    config.write_text("no such key = true\n")
    try:
        run("systemctl", "start", f"callboard-backup@{NAME}.service", fails=True)
    finally:
        config.write_text(right)
    wait_for(lambda: receiver.calls, "the hook is called")
    check(receiver.calls[0][1].decode() == f"callboard-backup@{NAME}.service", f"the hook got {receiver.calls[0][1]}")
    alerts = run("journalctl", "--no-pager", "-p", "alert", "-t", "callboard-failed", "-o", "cat")
    check(f"callboard-backup@{NAME}.service failed" in alerts, "no alert in the journal")
    run("systemctl", "reset-failed")


@scenario
def a_config_with_an_error_is_named_and_mending_it_is_enough():
    config = CONFIG / "callboard.toml"
    right = config.read_text()
    config.write_text(right.replace("[conference]", "no_such_key = true\n[conference]", 1))
    try:
        run("systemctl", "restart", SERVICE, fails=True)
        check(property_of(SERVICE, "ExecMainStatus") == "78", "the service ends with another exit code")
        check("no_such_key" in journal(SERVICE), "the log does not name the key")
    finally:
        config.write_text(right)
    run("systemctl", "start", SOCKET, SERVICE)
    check(status_of(ORIGIN + "/program.ics") == 200, "the mended config is not served")


# --- backups -------------------------------------------------------------------------------------------------

BACKUPS = Path(f"/var/lib/callboard-backups/{NAME}")


@scenario
def a_backup_of_the_running_server_is_whole():
    readme("backup")
    [backup] = BACKUPS.glob("*.ndjson")
    check(backup.stat().st_mode & 0o777 == 0o600, "others can read the backup")
    run("callboard", "verify", backup)


@scenario
def a_backup_of_a_stopped_server_leaves_its_store_to_it():
    run("systemctl", "stop", SOCKET, SERVICE)
    for backup in BACKUPS.glob("*.ndjson"):
        backup.unlink()
    run("systemctl", "start", f"callboard-backup@{NAME}.service")
    [backup] = BACKUPS.glob("*.ndjson")
    run("callboard", "verify", backup)
    run("systemctl", "start", SOCKET, SERVICE)
    check(status_of(ORIGIN + "/program.ics") == 200, "the server does not start after a backup")


@scenario
def readme_restores_a_backup_over_a_damaged_store():
    publish()
    before = release()
    readme("restore")
    check(status_of(ORIGIN + "/program.ics") == 200, "the restored program is not served")
    check(release() > before, "the restored release was seen before")
    publish()
    check(is_active(SERVICE), "the restored server cannot publish")


@scenario
def a_new_machine_is_made_from_the_configs_and_a_backup():
    """Restores on a machine that has only the package, /etc/callboard and the backup."""
    [backup] = BACKUPS.glob("*.ndjson")
    backup.rename(HOME / "backup.ndjson")
    before = release()
    run("systemctl", "disable", "--now", SOCKET, SERVICE, f"callboard-backup@{NAME}.timer", DELIVER)
    run("rm", "-rf", *(f"/var/lib/{at}{what}/{NAME}" for at in ("", "private/") for what in ("callboard", "callboard-backups")))
    readme("new-machine")
    check(status_of(ORIGIN + "/program.ics") == 200, "the restored program is not served")
    check(accepts(kept("chair-2.secret")), "the organizer's secret is gone")
    check(release() > before, "calendars have seen a later release")
    publish()


# --- replicas ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def postgres(password: str):
    """A PostgreSQL on this machine, with a role and a database `callboard`."""
    bin = max(Path("/usr/lib/postgresql").glob("*/bin"))
    data = Path("/var/tmp/postgres")
    user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
    data.mkdir()
    run("chown", "nobody", data)
    run(*user, bin / "initdb", "--username=admin", "--auth=trust", "--no-sync", "--pgdata", data)
    options = "-c listen_addresses=127.0.0.1 -c unix_socket_directories="
    run(*user, bin / "pg_ctl", "--wait", "--pgdata", data, "--log", data / "log", "--options", options, "start")
    try:
        psql = [bin / "psql", "--host=127.0.0.1", "--username=admin", "--dbname=postgres", "--command"]
        run(*psql, f"CREATE ROLE callboard LOGIN PASSWORD '{password}'")
        run(*psql, "CREATE DATABASE callboard OWNER callboard")
        (data / "pg_hba.conf").write_text("host all callboard 127.0.0.1/32 scram-sha-256\n")
        run(*user, bin / "pg_ctl", "--pgdata", data, "reload")
        yield
    finally:
        run(*user, bin / "pg_ctl", "--wait", "--pgdata", data, "--mode=immediate", "stop")


@scenario
def readme_makes_the_conference_a_replica_and_back():
    if not Path("/usr/lib/postgresql").is_dir():
        raise Failed("PostgreSQL is not installed")
    config, operator = CONFIG / "callboard.toml", f"callboard-operator@{NAME}.socket"
    kept_config, before = config.read_text(), release()
    os.environ["PASSWORD"] = "the-password-of-the-database"
    with postgres(os.environ["PASSWORD"]):
        lines = [
            'database = "postgresql://callboard@127.0.0.1/callboard"',
            f'database_password_file = "{CONFIG}/database-password"',
            *([] if re.search("^public_url", kept_config, re.M) else ['public_url = "https://conf.example.org"']),
        ]
        config.write_text("\n".join(lines) + "\n" + kept_config)
        run("systemctl", "stop", SOCKET, SERVICE, operator)
        (CONFIG / "database-password").write_text(os.environ["PASSWORD"])
        readme("move-to-database")
        readme("replica")
        check((CONFIG / "database-password").stat().st_mode & 0o777 == 0o600, "others can read the password")
        wait_for(lambda: status_of(ORIGIN + "/program.ics") == 200, "the replica serves the program")
        # `public_url` is in every feed, so setting it is a release.
        check(release() >= before, "the releases are gone")
        status, _ = ask(ORIGIN + "/api/v1/agendas", "POST", b'{"name": "n", "picks": []}', {"Content-Type": "application/json"})
        check(status == 201, f"a write through the database is {status}")
        ready = json.loads(ask("http://127.0.0.1:9090/readyz")[1])
        check(ready["replica"]["lag_ms"] is not None, f"the database is away: {ready}")
        run("systemctl", "stop", SOCKET, SERVICE, operator)
        readme("move-from-database")
    check(os.environ.pop("PASSWORD") not in run("journalctl", "--no-pager"), "the password is in the journal")
    config.write_text(kept_config)
    for unit in (SERVICE, SOCKET, operator):
        run("rm", "-rf", f"/etc/systemd/system/{unit}.d")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", SOCKET, SERVICE)
    wait_for(lambda: status_of(ORIGIN + "/program.ics") == 200, "the store of its own is served")


# --- the end -------------------------------------------------------------------------------------------------


@scenario
def the_watchdog_restarts_a_server_that_hangs():
    check(HUNG.get("pid"), "nothing hangs")
    wait_for(lambda: main_pid("callboard@devconf.service") not in (0, HUNG["pid"]), "systemd restarts it", 45)
    wait_for(lambda: status_of(SECOND + "/program.ics") == 200, "it serves again")
    check("watchdog" in journal("callboard@devconf.service").lower(), "something else restarted it")


@scenario
def a_stopped_server_ends_cleanly():
    run("systemctl", "stop", SOCKET, SERVICE)
    check(property_of(SERVICE, "Result") == "success", "the service failed at its end")
    try:
        status_of(ORIGIN + "/program.ics")
        raise Failed("something listens still")
    except ConnectionRefusedError:
        pass
    log = journal(SERVICE)
    check("panicked" not in log, "a panic in the log")
    for file in HOME.glob("*.secret"):
        check(file.read_text().strip() not in run("journalctl", "--no-pager"), "a secret in the journal")


if __name__ == "__main__":
    sys.exit(scenario.run_all(sys.argv[1:]))
