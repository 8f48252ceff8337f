"""Rolling restarts and upgrades of all replicas behind nginx and HAProxy, under load."""

import http.client
import os
import re
import shutil
import subprocess
import threading
import time

from .database import free_port

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
PROXIES = ("nginx", "HAProxy")


def nginx(directory, replicas, port):
    """nginx with the sample for replicas."""
    sample = open(os.path.join(ROOT, "config/nginx-replicas.conf")).read()
    servers = "".join(f"    server 127.0.0.1:{replica.port} max_fails=1 fail_timeout=1s;\n" for replica in replicas)
    begin, end = sample.index("    server "), sample.rindex("    server ")
    sample = sample[:begin] + servers + sample[sample.index("\n", end) + 1 :]
    config = f"""pid {directory}/pid; error_log {directory}/error.log; worker_processes 1; daemon off;
events {{}}
http {{ access_log off; client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
{sample}
server {{ listen 127.0.0.1:{port}; location / {{ include {directory}/location.conf; }} }} }}"""
    location = open(os.path.join(ROOT, "config/nginx-replicas-location.conf")).read()
    for name, text in (("location.conf", location), ("nginx.conf", config)):
        with open(os.path.join(directory, name), "w") as out:
            out.write(text)
    return subprocess.Popen(["/usr/sbin/nginx", "-c", f"{directory}/nginx.conf", "-e", f"{directory}/error.log"])


def haproxy(directory, replicas, port):
    """HAProxy with the sample."""
    config = open(os.path.join(ROOT, "config/haproxy-replicas.cfg")).read()
    changes = [(r"log /dev/log local0", "log stdout format raw local0"), (r"bind :443 .*", f"bind 127.0.0.1:{port}")]
    for name, replica in zip("abc", replicas):
        changes.append((rf"{name}\.internal:8080", f"127.0.0.1:{replica.port} check port {replica.operator}"))
    for old, new in changes:
        config, count = re.subn(old, new, config)
        assert count == 1, f"the sample has {count} times {old}"
    with open(os.path.join(directory, "haproxy.cfg"), "w") as out:
        out.write(config)
    log = open(os.path.join(directory, "log"), "wb")
    return subprocess.Popen(["/usr/sbin/haproxy", "-db", "-f", f"{directory}/haproxy.cfg"], stdout=log, stderr=log)


class Load:
    """Clients that read and write through a proxy."""

    def __init__(self, port):
        self.port, self.answered, self.failed, self.stopped = port, [], [], threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(n,), daemon=True) for n in range(6)]
        for thread in self.threads:
            thread.start()

    def run(self, n):
        method, path, body = [("GET", "/program.ics", None), ("POST", "/api/v1/agendas", '{"name": "n", "picks": []}')][n % 2]
        while not self.stopped.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                headers = {"Host": "conf.example.org", "Content-Type": "application/json"}
                connection.request(method, path, body, headers)
                status = connection.getresponse().status
                (self.answered if status in (200, 201) else self.failed).append((method, status))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append((method, repr(error)))
            finally:
                connection.close()
            time.sleep(0.01)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(25)


def rolling_upgrade(verdict, directory, replicas, name, binary=None):
    """Restarts one replica after the other behind a proxy, with a newer binary if there is one."""
    os.mkdir(directory)
    port = free_port()
    before = replicas[0].ready()[1]["release"]
    process = {"nginx": nginx, "HAProxy": haproxy}[name](directory, replicas, port)
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
                connection.request("GET", "/program.ics", headers={"Host": "conf.example.org"})
                if connection.getresponse().status == 200:
                    break
            except OSError:
                pass
            time.sleep(0.05)
        load = Load(port)
        time.sleep(1)
        for replica in replicas:
            replica.stop()
            replica.binary = binary or replica.binary
            replica.start()
            replica.wait_until_it_answers()
            deadline = time.monotonic() + 20
            while replica.ready()[0] != 200 and time.monotonic() < deadline:
                time.sleep(0.05)
            # Longer than fail_timeout of nginx and the checks of HAProxy, or the proxy would know no replica.
            time.sleep(2.5)
        load.stop()
    finally:
        process.terminate()
        process.wait()
    what = f"a rolling {'upgrade' if binary else 'restart'} behind {name}"
    verdict.check(not load.failed and len(load.answered) > 100, f"{what}: {len(load.answered)} requests, failed {len(load.failed)} {load.failed[:5]}")
    if binary:
        time.sleep(1)
        after = [replica.ready()[1]["release"] for replica in replicas]
        verdict.check(after == [before + 1] * 3, f"{what}: one release of the newer version, {before} before and {after} afterwards")


def next_version(directory):
    """Builds a version of Callboard that has a higher number and renders sessions differently."""
    source = os.path.join(directory, "source")
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for file in filter(None, files):
        os.makedirs(os.path.dirname(os.path.join(source, file)), exist_ok=True)
        shutil.copy(os.path.join(ROOT, file), os.path.join(source, file))
    changes = {
        "Cargo.toml": ('\nversion = "0.1.0"\n', '\nversion = "99.0.0"\n'),
        "src/feed/event.rs": ("Class::Public", "Class::Confidential"),
    }
    for file, (old, new) in changes.items():
        path = os.path.join(source, file)
        text = open(path).read()
        assert old in text, f"{file} has no {old}"
        with open(path, "w") as out:
            out.write(text.replace(old, new))
    target = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "next-version")
    environment = {**os.environ, "CARGO_TARGET_DIR": target}
    subprocess.run(["cargo", "build", "--quiet", "--offline", "--bin", "callboard"], cwd=source, env=environment, check=True)
    return os.path.join(target, "debug", "callboard")
