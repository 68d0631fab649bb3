"""pawl beside its ceiling, interleaved, on the same servers."""

import re
import shutil
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Optional

from lab.progress import Progress

from bench import child, load
from bench.world import World

FIRST_COMMITS = 2  # LMDB transactions before the first batch: the journal is made, the pipeline begins
WARM_DOCUMENTS = 400_000  # Java compiles what runs often
CEILING, PAWL, ADOPTING = "ceiling", "pawl", "pawl, adopting"
SYNCS = "fsync,fdatasync,sync_file_range,msync"
RATIO_MIN, CPU_MICROSECONDS_MAX, RSS_MB_MAX, COMMITS_MAX = 0.95, 3.0, 40.0, 2.0  # what pawl is to reach


@dataclass(frozen=True)
class Run:
    """One program's way through all documents."""

    program: str  # CEILING, PAWL or ADOPTING
    wall_seconds: float
    cpu_seconds: float  # its own
    rss_bytes_max: int
    server_cpu_seconds: float  # MariaDB's and Elasticsearch's
    other_share: float  # of all processors' time, used by anything else meanwhile
    commits_per_batch: Optional[float] = None
    quiet_before: bool = True


@dataclass
class Result:
    documents: int
    document_bytes: float  # of one, on average
    runs: list[Run] = field(default_factory=list)  # in the order they were made: pairs
    syncs_per_batch: Optional[float] = None

    def of(self, program: str) -> list[Run]:
        return [run for run in self.runs if run.program == program]

    def ratios(self, program: str = PAWL) -> list[float]:
        """Of the program's speed and the ceiling's, pair by pair."""
        return [ceiling.wall_seconds / run.wall_seconds for ceiling, run in zip(self.of(CEILING), self.of(program))]

    def programs(self) -> list[str]:
        return list(dict.fromkeys(run.program for run in self.runs))


class Throughput:
    def __init__(self, world: World, pawl: Path, ceiling: Path, progress: Progress) -> None:
        self._world, self._pawl, self._ceiling, self._progress = world, pawl, ceiling, progress
        self._warm = 0  # documents posted before anything counts

    def measure(self, documents: int, runs: int, adopt: bool) -> Result:
        """`adopt`: also pawl with an empty index that was there before, where it asks for every entity's latest row."""
        self._progress.show(f"making a history of {documents:,} rows")
        self._world.fill(documents)
        self._world.configure(self._world.search.url, {})
        result = Result(documents, self._world.document_bytes / documents)
        self._progress.say(f"a history of {documents:,} rows; {result.document_bytes:.0f} bytes a document on average")
        while self._warm < WARM_DOCUMENTS:
            self._one(CEILING, documents, "to warm up")
            self._warm += documents
        for number in range(runs):
            programs = [CEILING, PAWL] + ([ADOPTING] if adopt else [])
            if number % 2:
                programs.reverse()  # whatever drifts, drifts against all
            for program in programs:
                result.runs.append(self._one(program, documents, f"run {number + 1} of {runs}"))
        return result

    def count_syncs(self) -> Optional[float]:
        """fsync and its like per batch, in a run of its own, since counting slows it down. None without strace."""
        if not shutil.which("strace"):
            self._progress.say("no strace here: syncs are not counted")
            return None
        self._world.start_over()
        self._progress.show("pawl under strace")
        summary = self._world.folder / "strace.txt"
        trace = ["strace", "-f", "--seccomp-bpf", "-c", "-U", "calls,name", "-e", f"trace={SYNCS}", "-o", str(summary)]
        child.run([*trace, *self._sync_command()], self._world.folder)
        lines = re.finditer(r"^\s*(\d+)\s+(?!total)\w+\s*$", summary.read_text(), re.MULTILINE)
        calls = [int(line[1]) for line in lines]
        return sum(calls) / self._world.journal_batches(self._pawl)

    def _one(self, name: str, documents: int, which: str) -> Run:
        self._progress.show("waiting until the servers are quiet")
        quiet = self._world.start_over(with_index=name == ADOPTING)
        self._progress.show(f"{name}, {which}")
        groups = self._world.server_groups()
        servers, busy, started = sum(map(load.group_seconds, groups)), load.busy_seconds(), time.monotonic()
        cost = self._world.run_ceiling(self._ceiling) if name == CEILING else self._run_pawl()
        elapsed = time.monotonic() - started
        servers = sum(map(load.group_seconds, groups)) - servers
        other = load.busy_seconds() - busy - servers - cost.cpu_seconds
        self._world.check_index()
        commits = None
        if name != CEILING:
            commits = (self._world.journal_commits() - FIRST_COMMITS) / self._world.journal_batches(self._pawl)
        run = Run(name, cost.wall_seconds, cost.cpu_seconds, cost.rss_bytes_max, servers,
                  max(0.0, other) / elapsed / load.PROCESSORS, commits, quiet)
        self._progress.say(f"{name}, {which}: {documents / cost.wall_seconds:,.0f} documents/s, "
                           f"{cost.cpu_seconds / documents * 1e6:.2f} µs of own CPU each; "
                           f"others used {run.other_share:.0%} of the machine")
        return run

    def _run_pawl(self) -> child.Cost:
        return child.run(self._sync_command(), self._world.folder)

    def _sync_command(self) -> list[str]:
        return [str(self._pawl), "sync", "--config", str(self._world.config)]


def as_json(results: list[Result]) -> list[dict[str, Any]]:
    def ratios(result: Result) -> dict[str, list[float]]:
        return {program: result.ratios(program) for program in result.programs() if program != CEILING}

    return [asdict(result) | {"ratios": ratios(result)} for result in results]


def as_markdown(results: list[Result]) -> str:
    lines = ["| documents | program | wall, s | documents/s | own CPU, µs/document | servers' CPU, µs/document "
             "| peak RSS, MB |",
             "| ---: | --- | ---: | ---: | ---: | ---: | ---: |"]
    for result in results:
        for program in result.programs():
            runs, count = result.of(program), result.documents
            cells = [
                f"{count:,}", program, spread([run.wall_seconds for run in runs], ".1f"),
                spread([count / run.wall_seconds for run in runs], ",.0f"),
                spread([run.cpu_seconds / count * 1e6 for run in runs], ".2f"),
                spread([run.server_cpu_seconds / count * 1e6 for run in runs], ".1f"),
                # The ceiling holds all requests in memory.
                spread([run.rss_bytes_max / 1e6 for run in runs], ".1f") if program != CEILING else "",
            ]
            lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| documents | program | speed, ceiling = 1 | LMDB commits a batch | syncs a batch | others used |",
              "| ---: | --- | ---: | ---: | ---: | ---: |"]
    for result in results:
        for program in (each for each in result.programs() if each != CEILING):
            commits = [run.commits_per_batch for run in result.of(program) if run.commits_per_batch is not None]
            syncs = "" if program != PAWL or result.syncs_per_batch is None else f"{result.syncs_per_batch:.2f}"
            cells = [f"{result.documents:,}", program, spread(result.ratios(program), ".3f"),
                     spread(commits, ".2f"), syncs,
                     spread([run.other_share * 100 for run in result.runs], ".0f") + " %"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def verdict(results: list[Result]) -> str:
    """What pawl is to reach, and whether it did, by medians (memory: by its worst run)."""
    lines = []
    for result in results:
        runs = result.of(PAWL)
        found = [
            ("ratio", statistics.median(result.ratios()), ">=", RATIO_MIN),
            ("own CPU, µs/document", statistics.median(run.cpu_seconds for run in runs) / result.documents * 1e6, "<=",
             CPU_MICROSECONDS_MAX),
            ("peak RSS, MB", max(run.rss_bytes_max for run in runs) / 1e6, "<=", RSS_MB_MAX),
            ("LMDB commits a batch", statistics.median(run.commits_per_batch or 0 for run in runs), "<=", COMMITS_MAX),
        ]
        for name, value, relation, goal in found:
            reached = value >= goal if relation == ">=" else value <= goal
            lines.append(f"{result.documents:,} documents: {name} {value:.3g}, goal {relation} {goal:g}: "
                         f"{'reached' if reached else 'MISSED'}")
    return "\n".join(lines)


def spread(values: list[float], form: str) -> str:
    """Median (lowest–highest)."""
    middle = format(statistics.median(values), form)
    return middle if len(values) == 1 else f"{middle} ({format(min(values), form)}–{format(max(values), form)})"
