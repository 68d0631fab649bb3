"""Runs a program and says what it cost."""

import os
import select
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.05
OUTPUT_SHOWN_BYTES = 2_000


@dataclass(frozen=True)
class Cost:
    wall_seconds: float  # from before exec to the end
    cpu_seconds: float  # user and system
    rss_bytes_max: int
    output: str  # stdout


class ChildFailed(Exception):
    pass


def run(command: list[str], folder: Path) -> Cost:
    """Runs to its end; ChildFailed unless that is exit code 0. stdout and stderr go to files in `folder`."""
    out, err = folder / "child.out", folder / "child.err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        started = time.monotonic()
        child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command], stdin=subprocess.DEVNULL,
                                 stdout=stdout, stderr=stderr, start_new_session=True)
    try:
        rss = _watch(child.pid)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
        child.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if child.returncode is None:
            child.kill()
            child.wait()
    if child.returncode != 0:
        said = err.read_text(errors="replace")[-OUTPUT_SHOWN_BYTES:]
        raise ChildFailed(f"{' '.join(command)} ended with {child.returncode}:\n{said}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, rss, out.read_text(errors="replace"))


def _watch(pid: int) -> int:
    """Returns when it has ended: the most memory that it was seen to have used.

    ru_maxrss would not do: it begins with what Python used when it started the child."""
    end = select.poll()
    descriptor = os.pidfd_open(pid)
    end.register(descriptor, select.POLLIN)
    rss = 0
    try:
        while not end.poll(SAMPLE_SECONDS * 1000):
            rss = max(rss, peak_of(pid))
    finally:
        os.close(descriptor)
    return rss


def peak_of(pid: int) -> int:
    """The most memory that the process has used, in bytes; 0: it is gone."""
    # The kernel keeps the peak, so that only the time after the last look is missed.
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0  # it has just ended
