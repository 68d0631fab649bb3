"""How soon is pawl at work again after a SIGKILL with batches open?"""

import statistics
import time
from pathlib import Path

from lab.pawl import Pawl, PawlError
from lab.progress import Progress

from bench import child
from bench.proxy import Proxy
from bench.world import World

OPEN_BATCHES = 8
BULKS_BETWEEN_KILLS = 20  # so that every kill meets another part of the history
HOLD_SECONDS_MAX = 60
BULK_SECONDS_MAX = 60
POLL_SECONDS = 0.02
MILLISECONDS_MAX = 200.0  # what pawl is to reach


class Restart:
    def __init__(self, world: World, binary: Path, progress: Progress) -> None:
        self._world, self._binary, self._progress = world, binary, progress

    def measure(self, documents: int, rounds: int) -> list[float]:
        """Milliseconds from before exec to the first byte of a bulk request, for each kill."""
        self._progress.show(f"making a history of {documents:,} rows")
        self._world.fill(documents)
        times: list[float] = []
        with Proxy(self._world.search.port) as proxy:
            self._world.configure(proxy.url, {"batches_open": OPEN_BATCHES, "requests_in_flight": OPEN_BATCHES})
            self._world.start_over()
            pawl = Pawl(self._binary, self._world.config, self._world.folder / "pawl.log")
            try:
                proxy.let_pass(BULKS_BETWEEN_KILLS)
                pawl.start()
                for number in range(rounds):
                    times.append(self._round(pawl, proxy))
                    self._progress.say(f"kill {number + 1} of {rounds}: first bulk request after {times[-1]:.0f} ms")
                pawl.kill()
            finally:
                pawl.end()
            self._finish(proxy)
        return times

    def _round(self, pawl: Pawl, proxy: Proxy) -> float:
        self._wait_until_open(pawl, proxy)
        pawl.kill()
        proxy.let_pass(BULKS_BETWEEN_KILLS)
        started = time.monotonic()
        pawl.start()
        arrived = proxy.first_bulk_at(BULK_SECONDS_MAX)
        if arrived is None:
            raise PawlError(f"no bulk request within {BULK_SECONDS_MAX} s of the restart\n{pawl.log_tail()}")
        return (arrived - started) * 1000

    def _wait_until_open(self, pawl: Pawl, proxy: Proxy) -> None:
        """Until all batches that may be open are INTENT, and the proxy holds their requests."""
        deadline = time.monotonic() + HOLD_SECONDS_MAX
        while proxy.held < OPEN_BATCHES:
            pawl.check_alive()
            if time.monotonic() > deadline:
                raise PawlError(f"{proxy.held} of {OPEN_BATCHES} requests are held\n{pawl.log_tail()}")
            time.sleep(POLL_SECONDS)
        open_batches = pawl.open_batches()
        if list(open_batches.values()) != ["INTENT"] * OPEN_BATCHES:
            raise PawlError(f"expected {OPEN_BATCHES} batches in INTENT, found {open_batches}")

    def _finish(self, proxy: Proxy) -> None:
        """The killed pawls have lost nothing."""
        self._progress.show("catching up, to compare index and history")
        proxy.let_pass(1 << 60)
        command = [str(self._binary), "sync", "--config", str(self._world.config)]
        child.run(command, self._world.folder)
        self._world.check_index()
        self._progress.say("the index holds all documents")


def as_markdown(documents: int, times: list[float]) -> str:
    return (f"| rows | open batches | kills | first bulk request, ms: median | lowest | highest |\n"
            f"| ---: | ---: | ---: | ---: | ---: | ---: |\n"
            f"| {documents:,} | {OPEN_BATCHES} | {len(times)} | {statistics.median(times):.0f} | {min(times):.0f} "
            f"| {max(times):.0f} |")


def verdict(times: list[float]) -> str:
    reached = max(times) <= MILLISECONDS_MAX
    return f"goal: <= {MILLISECONDS_MAX:.0f} ms, every time: {'reached' if reached else 'MISSED'}"
