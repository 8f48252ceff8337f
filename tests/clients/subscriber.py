"""A subscriber at a terminal: vdirsyncer fetches the feeds, khal shows them."""

import json
import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


class Subscriber:
    """vdirsyncer and khal with their own home directory."""

    def __init__(self, home: Path, feeds: dict[str, str]):
        self.home = home
        self.feeds = feeds
        lines = ["[general]", f'status_path = "{home}/status/"']
        for name, url in feeds.items():
            (home / "vdir" / name).mkdir(parents=True)
            lines += [
                f"[pair {name}]", f'a = "{name}_here"', f'b = "{name}_there"', "collections = null",
                f"[storage {name}_here]", 'type = "filesystem"', f'path = "{home}/vdir/{name}/"', 'fileext = ".ics"',
                f"[storage {name}_there]", 'type = "http"', f'url = "{url}"',
            ]  # fmt: skip
        (home / "vdirsyncer").write_text("\n".join(lines) + "\n")
        self.vdirsyncer("discover")

    def vdirsyncer(self, *arguments: str) -> str:
        return self._run("vdirsyncer", "-c", str(self.home / "vdirsyncer"), *arguments)

    def items(self, name: str) -> dict[str, tuple[int, bytes]]:
        files = (self.home / "vdir" / name).iterdir()
        return {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in files}

    def khal(self, name: str, zone: str, *arguments: str) -> list[dict]:
        config = self.home / f"khal-{name}-{zone.replace('/', '-')}"
        config.write_text(
            f"[calendars]\n[[{name}]]\npath = {self.home}/vdir/{name}\nreadonly = True\n"
            f"[locale]\nlocal_timezone = {zone}\ndefault_timezone = {zone}\n"
            "timeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
            "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
            f"[sqlite]\npath = {config}.db\n[default]\nprint_new = False\n"
        )
        fields = ("title", "start-long-full", "end-long-full", "status")
        wanted = [part for field in fields for part in ("--json", field)]
        printed = self._run("khal", "-c", str(config), "list", "--once", *wanted, *arguments)
        return [event for line in printed.splitlines() if line.strip() for event in json.loads(line)]

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [str(BIN / program), *arguments],
            env={**os.environ, "HOME": str(self.home), "LC_ALL": "C.UTF-8"},
            capture_output=True, text=True, encoding="utf-8", stdin=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
