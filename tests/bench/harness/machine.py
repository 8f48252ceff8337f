"""The machine: what is installed, which core does what, and what a process has used."""

import os
import shutil
import subprocess
import sys

# Server and generator never share a core. With one core there is nothing to keep apart.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]

TICKS = os.sysconf("SC_CLK_TCK")

# What is run, and the Debian package that brings it.
NEEDED = {"nginx": "nginx-light", "wrk": "wrk"}
# Only a developer needs it, to see why a row is what it is; the run goes on without.
WANTED = {"perf": "linux-perf"}


def missing(programs):
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    return {name: package for name, package in programs.items() if not shutil.which(name)}


def install(programs, purpose):
    """Installs what is missing, and says so."""
    packages = sorted(set(missing(programs).values()))
    if not packages:
        return
    print(f"==> installing {' '.join(packages)} (apt): {purpose}", flush=True)
    root = [] if os.geteuid() == 0 else ["sudo"]
    quiet = {"stdout": sys.stderr, "check": False}
    subprocess.run([*root, "apt-get", "update", "-qq"], **quiet)
    subprocess.run(
        [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-qq",
         "--no-install-recommends", *packages],
        **quiet,
    )


def pinned(core, command):
    """A command line that runs on one core."""
    return ["taskset", "-c", str(core), *map(str, command)]


def cpu_seconds(pid):
    """utime + stime of a process, its finished threads included."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid):
    """Resident bytes: now, and at the most since reset_peak."""
    found = {}
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM"):
                found[name] = int(value.split()[0]) * 1024
    return found["VmRSS"], found["VmHWM"]


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as refs:
        refs.write("5")


def describe():
    """The class of machine, in one line."""
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{len(CORES)} cores of {model}, {pages / 2**30:.0f} GiB, Linux {os.uname().release}"


def versions():
    """Who was measured."""
    def first(command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = (done.stdout + done.stderr).splitlines()
        return lines[0] if lines else "unknown"

    wrk = first(["wrk", "-v"]).split(" [")[0]
    return [first(["rustc", "--version"]), first(["nginx", "-v"]).replace("nginx version: ", ""), wrk]
