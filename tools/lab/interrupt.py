"""Ctrl-C, SIGTERM and SIGHUP as one exception, so that everything on the way out is cleaned up; and commands that do
not outlive it."""

import os
import signal
import subprocess

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal told us to end. `exit_code`: what a shell expects then."""

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


def raise_on_signals():
    """From now on the first of SIGNALS raises Interrupted; further ones would disturb the cleaning and are ignored."""

    def handle(number, _):
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise Interrupted(number)

    for each in SIGNALS:
        signal.signal(each, handle)


def run(command, cwd, show):
    """Runs a command to its end; `show(line)` gets each line of its output. Returns (exit code, all output)."""
    lines = []
    with subprocess.Popen(
        command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", start_new_session=True,
    ) as process:  # fmt: skip
        try:
            for line in process.stdout:
                lines.append(line)
                show(line.rstrip())
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    return process.returncode, "".join(lines)
