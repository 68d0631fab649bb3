"""Child processes that are servers: start, wait until ready, stop, kill, with nothing left behind."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Mapping, Optional

from .paths import LabError

POLL_INTERVAL_S = 0.05
LOG_TAIL_LINES = 40
LOG_LINE_CHARACTERS_MAX = 400  # Java servers print lines of several thousand


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago. Another process may take it: starts must cope."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Polls until the condition holds (True) or the time is over (False)."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_INTERVAL_S)
    return True


def start_time(pid: int) -> Optional[int]:
    """When a process started, in clock ticks since boot; None when it is gone or a zombie. With the pid it names
    one process for ever, since pids are used again."""
    fields = _stat(pid)
    return None if fields is None or fields[0] in "ZX" else int(fields[19])


def _stat(pid: int) -> Optional[list[str]]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text[text.rindex(")") + 2 :].split()  # the name in parentheses may itself hold anything


def group_is_alive(group: int) -> bool:
    """Is any process of this group running? Zombies do not count: nobody may be there to reap them."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = _stat(int(entry))
            if fields is not None and int(fields[2]) == group and fields[0] not in "ZX":
                return True
    return False


def signal_group(group: int, which: signal.Signals) -> None:
    try:
        os.killpg(group, which)
    except ProcessLookupError:
        pass


class Process:
    """One server in a process group of its own.

    Its output goes to `log` (appended). Unless `keep`, the kernel kills it when the thread that started it ends, so
    that nothing is left when a test is killed: start servers from the main thread."""

    def __init__(self, name: str, command: list[str], log: Path, env: Optional[Mapping[str, str]] = None,
                 cwd: Optional[Path] = None, keep: bool = False) -> None:
        self.name = name
        self.log = log
        if not keep:
            # Last before the server itself: a change of the uid would clear the request.
            command = ["setpriv", "--pdeathsig", "KILL", "--", *command] if command[0] != "setpriv" else [
                "setpriv", "--pdeathsig", "KILL", *command[1:]]
        with open(log, "ab") as output:
            self.log_start = output.tell()
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=cwd,
                                           env=None if env is None else dict(env), start_new_session=True)
        self.pid = self._child.pid

    def is_running(self) -> bool:
        return self._child.poll() is None

    def wait_ready(self, is_ready: Callable[[], bool], timeout_s: float) -> None:
        """Returns when the server answers. LabError with the log's end when it ends before that or takes too long;
        then it is not running any more."""
        ready = wait_until(lambda: not self.is_running() or is_ready(), timeout_s)
        if self.is_running() and ready:
            return
        why = f"did not answer within {timeout_s:.0f} s" if self.is_running() else f"ended with {self._child.returncode}"
        self.kill()
        raise LabError(f"{self.name} {why}; the end of {self.log}:\n{self.log_tail()}")

    def stop(self, timeout_s: float) -> None:
        """SIGTERM, then waits until the whole group is gone; LabError when that takes too long (it is killed)."""
        if self.is_running():
            self._child.terminate()
        if not wait_until(self._is_gone, timeout_s):
            self.kill()
            raise LabError(f"{self.name} did not stop within {timeout_s:.0f} s; it was killed. See {self.log}")

    def kill(self) -> None:
        """SIGKILL to the whole group; returns when it is gone."""
        signal_group(self.pid, signal.SIGKILL)
        self._child.wait()
        if not wait_until(self._is_gone, 10):
            raise LabError(f"{self.name}: process group {self.pid} survives SIGKILL")

    def _is_gone(self) -> bool:
        return not self.is_running() and not group_is_alive(self.pid)

    def new_output(self) -> str:
        """What it has written since it started."""
        with open(self.log, "rb") as log:
            log.seek(self.log_start)
            return log.read().decode(errors="replace")

    def log_tail(self) -> str:
        lines = self.new_output().splitlines()[-LOG_TAIL_LINES:]
        return "\n".join(line[:LOG_LINE_CHARACTERS_MAX] for line in lines)
