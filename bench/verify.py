"""pawl verify of an index that is equal to its history: how fast, and in how much memory."""

import json
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.progress import Progress

from bench import child, load
from bench.world import World, Wrong

WAYS = {"revisions": [], "documents": ["--content"]}


@dataclass(frozen=True)
class Run:
    way: str  # of WAYS
    wall_seconds: float
    cpu_seconds: float  # its own
    server_cpu_seconds: float  # MariaDB's and Elasticsearch's
    rss_bytes_max: int
    suspects: int


def measure(world: World, pawl: Path, progress: Progress, documents: int, rounds: int) -> list[Run]:
    progress.show(f"making a history of {documents:,} rows, and its index")
    world.fill(documents)
    world.configure(world.search.url, {})
    world.start_over()
    child.run([str(pawl), "sync", "--config", str(world.config)], world.folder)
    world.check_index()
    runs = []
    for number in range(rounds):
        for way, options in WAYS.items():
            load.wait_until_quiet(world.server_groups())
            runs.append(_verify(world, pawl, way, options, documents))
            progress.say(f"{way}, run {number + 1} of {rounds}: {documents / runs[-1].wall_seconds:,.0f} documents/s")
    return runs


def _verify(world: World, pawl: Path, way: str, options: list[str], documents: int) -> Run:
    before = sum(map(load.group_seconds, world.server_groups()))
    cost = child.run([str(pawl), "verify", "--json", *options, "--config", str(world.config)], world.folder)
    servers = sum(map(load.group_seconds, world.server_groups())) - before
    [report] = json.loads(cost.output)["pipelines"]
    if not report["equal"] or report["documents"] != documents or report["entities"] != documents:
        raise Wrong(f"pawl verify says {report}")
    return Run(way, cost.wall_seconds, cost.cpu_seconds, servers, cost.rss_bytes_max, report["looked_at"])


def as_json(documents: int, runs: list[Run]) -> dict[str, Any]:
    return {"documents": documents, "runs": [asdict(run) for run in runs]}


def as_markdown(documents: int, runs: list[Run]) -> str:
    lines = ["| documents | compared | documents/s: median | lowest | highest | own CPU µs a document | servers' | "
             "peak memory MB |", "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for way in WAYS:
        of = [run for run in runs if run.way == way]
        speeds = [documents / run.wall_seconds for run in of]
        lines.append(
            f"| {documents:,} | {way} | {statistics.median(speeds):,.0f} | {min(speeds):,.0f} | {max(speeds):,.0f} "
            f"| {1e6 * statistics.median(run.cpu_seconds for run in of) / documents:.2f} "
            f"| {1e6 * statistics.median(run.server_cpu_seconds for run in of) / documents:.1f} "
            f"| {max(run.rss_bytes_max for run in of) / 1e6:.0f} |")
    return "\n".join(lines)
