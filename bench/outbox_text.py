"""What tools/bench outbox says."""

import statistics
from dataclasses import asdict
from typing import Any

from bench.outbox import CEILING, PAWL, Result, Run, Steady
from bench.throughput import spread

# What pawl is to reach. The outbox does not grow: by no more than this share of the edits.
RATIO_MIN, CPU_MICROSECONDS_MAX, RSS_MB_MAX, GROWTH_SHARE_MAX = 0.9, 5.0, 40.0, 0.01
SHOWN_POINTS = 12


def _runs(result: Result, program: str) -> list[Run]:
    return [run for run in result.runs if run.program == program]


def _ratios(result: Result) -> list[float]:
    """Of pawl's speed and the ceiling's, pair by pair."""
    pairs = zip(_runs(result, CEILING), _runs(result, PAWL))
    return [ceiling.wall_seconds / pawl.wall_seconds for ceiling, pawl in pairs]


def _costs(result: Result, per_transaction: int) -> dict[str, list[float]]:
    """What the triggers cost, in per cent, round by round."""
    rounds = [edited for edited in result.edited if edited.per_transaction == per_transaction]
    pairs = list(zip((each for each in rounds if not each.triggers), (each for each in rounds if each.triggers)))
    names = {"time": "seconds_per_edit", "median transaction": "transaction_p50", "MariaDB's CPU": "mariadb_cpu_per_edit"}
    return {name: [100 * (getattr(after, key) / getattr(before, key) - 1) for before, after in pairs]
            for name, key in names.items()}  # fmt: skip


def as_json(result: Result) -> dict[str, Any]:
    assert result.steady
    sizes = sorted({edited.per_transaction for edited in result.edited})
    return asdict(result) | {"ratios": _ratios(result), "growth_rows_per_second": result.steady.growth(),
                             "trigger_costs_per_cent": {size: _costs(result, size) for size in sizes}}


def as_markdown(result: Result) -> str:
    assert result.steady
    return "\n\n".join((_backlog(result), _steady(result.steady), _triggers(result)))


def _backlog(result: Result) -> str:
    lines = ["| entities | program | documents/s | own CPU, µs/document | servers' CPU, µs/document | peak RSS, MB "
             "| speed, ceiling = 1 | others used |",
             "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for program in (CEILING, PAWL):
        runs = _runs(result, program)
        cells = [f"{result.documents:,}", program,
                 spread([result.documents / run.wall_seconds for run in runs], ",.0f"),
                 spread([run.cpu_seconds / result.documents * 1e6 for run in runs], ".2f"),
                 spread([run.server_cpu_seconds / result.documents * 1e6 for run in runs], ".1f"),
                 # The ceiling holds all requests in memory.
                 spread([run.rss_bytes_max / 1e6 for run in runs], ".1f") if program == PAWL else "",
                 spread(_ratios(result), ".3f") if program == PAWL else "",
                 spread([run.other_share * 100 for run in runs], ".0f") + " %"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _steady(steady: Steady) -> str:
    step = max(1, len(steady.waiting) // SHOWN_POINTS)
    shown = ", ".join(f"{second:.0f} s: {rows:,}" for second, rows in steady.waiting[::step])
    counts = [rows for _, rows in steady.waiting]
    return (f"{steady.edits:,} edits in {steady.seconds:.1f} s ({steady.edits / steady.seconds:,.0f} a second). Rows in the "
            f"outbox: median {statistics.median(counts):,.0f}, most {max(counts):,}, growing by {steady.growth():+.1f} a "
            f"second; empty {steady.empty_after_seconds:.1f} s after the last edit. {shown}. pawl: "
            f"{1e6 * steady.cpu_seconds / steady.edits:.1f} µs of CPU an edit, {steady.rss_bytes_max / 1e6:.1f} MB at most.\n\n"
            f"Transactions of those edits, ten each: with pawl p50 {_milliseconds(steady.waits.p50)}, p99 "
            f"{_milliseconds(steady.waits.p99)}; the same without pawl p50 {_milliseconds(steady.waits_alone.p50)}, p99 "
            f"{_milliseconds(steady.waits_alone.p99)}.")


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.2f} ms"


def _triggers(result: Result) -> str:
    lines = ["| edits a transaction | triggers cost: time, % | median transaction, % | MariaDB's CPU, % |",
             "| ---: | ---: | ---: | ---: |"]
    for size in sorted({edited.per_transaction for edited in result.edited}):
        cells = [spread(values, "+.0f") for values in _costs(result, size).values()]
        lines.append(f"| {size} | {' | '.join(cells)} |")
    return "\n".join(lines)


def verdict(result: Result) -> str:
    """What pawl is to reach, and whether it did, by medians (memory: by its worst run)."""
    assert result.steady
    runs, steady = _runs(result, PAWL), result.steady
    found = [
        ("speed, ceiling = 1", statistics.median(_ratios(result)), ">=", RATIO_MIN),
        ("own CPU, µs/document", 1e6 * statistics.median(run.cpu_seconds for run in runs) / result.documents, "<=",
         CPU_MICROSECONDS_MAX),
        ("peak RSS, MB", max([run.rss_bytes_max for run in runs] + [steady.rss_bytes_max]) / 1e6, "<=", RSS_MB_MAX),
        ("growth of the outbox, rows an edit", steady.growth() * steady.seconds / steady.edits, "<=", GROWTH_SHARE_MAX),
    ]
    lines = []
    for name, value, relation, goal in found:
        reached = value >= goal if relation == ">=" else value <= goal
        lines.append(f"{name}: {value:.3g}, goal {relation} {goal:g}: {'reached' if reached else 'MISSED'}")
    return "\n".join(lines)
