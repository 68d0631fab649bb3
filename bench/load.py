"""Who uses the processors."""

import os
import time
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PROCESSORS = os.cpu_count() or 1
QUIET_LOOK_SECONDS = 1.0
QUIET_SHARE = 0.05  # of one processor
QUIET_WAIT_SECONDS_MAX = 60.0


def group_seconds(group: int) -> float:
    """Processor time of all processes of a process group that are there now."""
    ticks = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            text = Path(f"/proc/{entry}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        fields = text[text.rindex(")") + 2 :].split()
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_SECOND


def busy_seconds() -> float:
    """Processor time of the whole machine since it started, idle time and waiting left out."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields[:8]
    return (user + nice + system + irq + softirq + steal) / TICKS_PER_SECOND


def wait_until_quiet(groups: list[int]) -> bool:
    """Until these process groups do next to nothing; False when they did not come to rest."""
    deadline = time.monotonic() + QUIET_WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        before = [group_seconds(group) for group in groups]
        time.sleep(QUIET_LOOK_SECONDS)
        used = sum(group_seconds(group) for group in groups) - sum(before)
        if used < QUIET_SHARE * QUIET_LOOK_SECONDS * len(groups):
            return True
    return False
