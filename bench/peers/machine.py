# SPDX-License-Identifier: BSL-1.0
"""The machine: what it is, and what its cores and processes have used so far."""
import os
import platform
import re
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


def busy_seconds(text, cores):
    """Of /proc/stat: what the cores were not idle. Time stolen by other guests counts as busy."""
    total = 0
    for line in text.splitlines():
        name, *ticks = line.split()
        if name in {f"cpu{core}" for core in cores}:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, ticks[:8])
            total += user + nice + system + irq + softirq + steal
    return total / TICK


def process_seconds(text):
    """Of /proc/PID/stat: user and system time. The name in it may have blanks and parentheses."""
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def busy_now(cores):
    return busy_seconds(Path("/proc/stat").read_text(encoding="ascii"), cores)


def used_by(pids):
    total = 0
    for pid in pids:
        try:
            total += process_seconds(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8",
                                                                         errors="replace"))
        except OSError:
            pass
    return total


def family(pid):
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *map(int, children)]


def found(pattern, path):
    try:
        match = re.search(pattern, Path(path).read_text(encoding="utf-8"), re.M)
    except OSError:
        return None
    return match[1].strip() if match else None


def description():
    memory = found(r"^MemTotal:\s*(\d+) kB", "/proc/meminfo")
    return {"cpu": found(r"^model name\s*:(.*)", "/proc/cpuinfo") or platform.machine(),
            "cores": os.cpu_count(),
            "memory_bytes": int(memory) * 1024 if memory else None,
            "system": found(r'^PRETTY_NAME="(.*)"', "/etc/os-release") or platform.system(),
            "kernel": platform.release()}
