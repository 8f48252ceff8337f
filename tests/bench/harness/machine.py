"""The machine: its installed programs, the cores of server and generator, and the CPU and memory of a process."""

import os
import shutil
import subprocess
import sys

# Server and generator have different cores, if the machine has two.
CORES = sorted(os.sched_getaffinity(0))
SERVER_CORE, LOAD_CORE = CORES[0], CORES[-1]

TICKS = os.sysconf("SC_CLK_TCK")

# Required programs, each with its Debian package.
NEEDED = {"nginx": "nginx-light", "wrk": "wrk"}
# Optional programs, with which a developer finds the reason for a figure.
WANTED = {"perf": "linux-perf"}


def missing(programs):
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    return {name: package for name, package in programs.items() if not shutil.which(name)}


def install(programs, purpose):
    """Installs missing programs, and says so."""
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
    """Resident bytes: now, and the peak since reset_peak."""
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
    """The versions of the measured programs."""
    def first(command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        lines = (done.stdout + done.stderr).splitlines()
        return lines[0] if lines else "unknown"

    wrk = first(["wrk", "-v"]).split(" [")[0]
    return [first(["rustc", "--version"]), first(["nginx", "-v"]).replace("nginx version: ", ""), wrk]
