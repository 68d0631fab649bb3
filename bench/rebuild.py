"""pawl rebuild beside the ceiling: does it cost what the living entities cost, and not what their edits cost?"""

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.progress import Progress

from bench import child, load
from bench.world import ALIAS, World, Wrong

CEILING, ONE, MANY = "ceiling", "rebuild", "rebuild, edited"
EDITED_TABLE = "lex_edited"
WARM_DOCUMENTS = 400_000  # Java compiles what runs often
RATIO_MIN, EDITS_RATIO_MAX = 0.97, 1.2  # what pawl is to reach


@dataclass(frozen=True)
class Run:
    program: str
    wall_seconds: float
    cpu_seconds: float  # its own
    server_cpu_seconds: float  # MariaDB's and Elasticsearch's
    rss_bytes_max: int
    other_share: float  # of all processors' time, used by anything else meanwhile


class Rebuild:
    def __init__(self, world: World, pawl: Path, ceiling: Path, progress: Progress) -> None:
        self._world, self._pawl, self._ceiling, self._progress = world, pawl, ceiling, progress

    def measure(self, documents: int, edits: int, runs: int) -> list[Run]:
        self._progress.show(f"making histories of {documents:,} entities, with 1 and {edits} rows each")
        self._world.fill(documents)
        self._world.edit(EDITED_TABLE, edits)
        warm = 0
        while warm < WARM_DOCUMENTS:
            self._one(CEILING, "to warm up")
            warm += documents
        done = []
        for number in range(runs):
            programs = [CEILING, ONE, MANY]
            if number % 2:
                programs.reverse()  # whatever drifts, drifts against all
            done += [self._one(program, f"run {number + 1} of {runs}") for program in programs]
        return done

    def _one(self, program: str, which: str) -> Run:
        self._progress.show("waiting until the servers are quiet")
        self._world.start_over(with_index=program != CEILING)
        self._world.configure(self._world.search.url, {}, EDITED_TABLE if program == MANY else ALIAS)
        self._progress.show(f"{program}, {which}")
        groups = self._world.server_groups()
        servers, busy = sum(map(load.group_seconds, groups)), load.busy_seconds()
        cost = self._world.run_ceiling(self._ceiling) if program == CEILING else self._run_pawl()
        servers = sum(map(load.group_seconds, groups)) - servers
        other = load.busy_seconds() - busy - servers - cost.cpu_seconds
        run = Run(program, cost.wall_seconds, cost.cpu_seconds, servers, cost.rss_bytes_max,
                  max(0.0, other) / cost.wall_seconds / load.PROCESSORS)
        self._progress.say(f"{program}, {which}: {self._world.documents / run.wall_seconds:,.0f} documents/s; others "
                           f"used {run.other_share:.0%} of the machine")
        return run

    def _run_pawl(self) -> child.Cost:
        command = [str(self._pawl), "rebuild", "--drop-old", "--json", "--config", str(self._world.config)]
        cost = child.run(command, self._world.folder)
        report = json.loads(cost.output)
        if not report["done"] or report["documents"] != self._world.documents or report["rejected"]:
            raise Wrong(f"pawl rebuild says {report}")
        return cost


def as_json(documents: int, edits: int, runs: list[Run]) -> dict[str, Any]:
    return {"documents": documents, "edits": edits, "runs": [asdict(run) for run in runs]}


def as_markdown(documents: int, edits: int, runs: list[Run]) -> str:
    lines = ["| entities | program | rows each | documents/s: median | lowest | highest | own CPU, µs/document "
             "| servers' CPU, µs/document | peak RSS, MB | others used |",
             "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for program in (CEILING, ONE, MANY):
        of = [run for run in runs if run.program == program]
        speeds = [documents / run.wall_seconds for run in of]
        lines.append(
            f"| {documents:,} | {program} | {edits if program == MANY else 1} | {statistics.median(speeds):,.0f} "
            f"| {min(speeds):,.0f} | {max(speeds):,.0f} "
            f"| {1e6 * statistics.median(run.cpu_seconds for run in of) / documents:.2f} "
            f"| {1e6 * statistics.median(run.server_cpu_seconds for run in of) / documents:.1f} "
            f"| {'' if program == CEILING else format(max(run.rss_bytes_max for run in of) / 1e6, '.0f')} "
            f"| {100 * statistics.median(run.other_share for run in of):.0f} % |")
    return "\n".join(lines)


def verdict(runs: list[Run]) -> str:
    """What pawl is to reach, and whether it did, by medians of what was run side by side."""

    def ratios(slower: str, faster: str) -> list[float]:
        times = {program: [run.wall_seconds for run in runs if run.program == program] for program in (slower, faster)}
        return [one / other for one, other in zip(times[slower], times[faster])]

    lines = []
    for name, values, relation, goal in (
        ("speed, ceiling = 1", ratios(CEILING, ONE), ">=", RATIO_MIN),
        ("time with many rows each, with one = 1", ratios(MANY, ONE), "<=", EDITS_RATIO_MAX),
    ):
        median = statistics.median(values)
        reached = median >= goal if relation == ">=" else median <= goal
        lines.append(f"{name}: {median:.3f} ({min(values):.3f}-{max(values):.3f}), goal {relation} {goal:g}: "
                     f"{'reached' if reached else 'MISSED'}")
    return "\n".join(lines)
