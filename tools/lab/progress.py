"""Progress for people: on a terminal the line at work is rewritten in place, in a log it appears now and then."""

import sys
import time

TERMINAL_SECONDS = 0.1  # between two rewrites
LOG_SECONDS = 5.0  # between two lines of the same step


class Progress:
    """Every line begins with the seconds since the start."""

    def __init__(self, stream=None):
        self._stream = stream or sys.stdout
        self._in_place = self._stream.isatty()
        self._started = time.monotonic()
        self._shown = self._started
        self._open_line = False  # an unfinished line is on the terminal

    def say(self, text):
        """A line that stays."""
        self._clear()
        print(f"{self.seconds():6.1f} s  {text}", file=self._stream, flush=True)
        self._shown = time.monotonic()

    def show(self, text):
        """How far the present step is; call it as often as you like."""
        if time.monotonic() - self._shown < (TERMINAL_SECONDS if self._in_place else LOG_SECONDS):
            return
        if not self._in_place:
            self.say(text)
            return
        self._clear()
        print(f"{self.seconds():6.1f} s  {text} …"[:100], end="", file=self._stream, flush=True)
        self._open_line = True
        self._shown = time.monotonic()

    def block(self, text):
        """Text as it is, indented: what another program printed."""
        self._clear()
        for line in text.splitlines():
            print(f"          {line}", file=self._stream)
        self._stream.flush()

    def seconds(self):
        return time.monotonic() - self._started

    def _clear(self):
        if self._open_line:
            print("\r\x1b[K", end="", file=self._stream)
            self._open_line = False
