"""Outbox mode: a backlog beside the ceiling, a steady load of edits, and what the triggers cost those who write."""

import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from lab import pawl as lab_pawl
from lab import plain_table
from lab.pawl import rows_of_outbox
from lab.progress import Progress

from bench import child, load
from bench.editors import Editors, Tally
from bench.world import ALIAS, COLUMNS, DATABASE, USER, World, Wrong

CEILING, PAWL = "ceiling", "pawl, outbox"
TABLE = "lex_plain"
WARM_DOCUMENTS = 400_000  # Java compiles what runs often
PRIVILEGES = "SELECT, INSERT, DELETE, CREATE, DROP, TRIGGER"  # pawl makes and removes the outbox itself here
EDITS_PER_TRANSACTION = 10
LOOK_SECONDS = 0.25
SETTLED_SECONDS = 2.0  # the first looks are at an outbox that was empty; they say nothing of growth
CAUGHT_UP_SECONDS_MAX = 300
SINGLE_EDITS, TOGETHER_EDITS = 4_000, 40_000  # of one round of what the triggers cost
RATE_MIN = 0.95  # of the edits a second that were asked for; with fewer nothing is shown


@dataclass(frozen=True)
class Run:
    """One program's way through the backlog."""

    program: str
    wall_seconds: float
    cpu_seconds: float  # its own
    server_cpu_seconds: float  # MariaDB's and Elasticsearch's
    rss_bytes_max: int
    other_share: float  # of all processors' time, used by anything else meanwhile


@dataclass(frozen=True)
class Waits:
    """How long transactions of writers take, COMMIT and all, in seconds."""

    p50: float = 0.0
    p99: float = 0.0


@dataclass
class Steady:
    """A pawl that keeps up with edits at a steady pace."""

    edits: int
    seconds: float
    waiting: list[tuple[float, int]] = field(default_factory=list)  # second, rows of the outbox
    empty_after_seconds: float = 0.0  # the last edit
    cpu_seconds: float = 0.0
    rss_bytes_max: int = 0
    waits: Waits = Waits()  # of those who edit
    waits_alone: Waits = Waits()  # the same edits again, without pawl

    def growth(self) -> float:
        """Rows of the outbox a second, by the line that fits best."""
        settled = [look for look in self.waiting if look[0] >= SETTLED_SECONDS]
        if len(settled) < 2:
            raise Wrong("too few looks at the outbox: let the edits go on for longer")
        mean_t = sum(second for second, _ in settled) / len(settled)
        mean_n = sum(rows for _, rows in settled) / len(settled)
        above = sum((second - mean_t) * (rows - mean_n) for second, rows in settled)
        return above / sum((second - mean_t) ** 2 for second, _ in settled)


@dataclass(frozen=True)
class Edited:
    """A round of edits, with or without triggers, while pawl does not run."""

    per_transaction: int
    triggers: bool
    seconds_per_edit: float
    mariadb_cpu_per_edit: float
    transaction_p50: float


@dataclass
class Result:
    documents: int
    runs: list[Run] = field(default_factory=list)  # in the order they were made: pairs
    steady: Optional[Steady] = None
    edited: list[Edited] = field(default_factory=list)  # pairs, too


def waits_of(tally: Tally) -> Waits:
    times = sorted(tally.transactions)
    return Waits(times[len(times) // 2], times[len(times) * 99 // 100])


class Outbox:
    def __init__(self, world: World, pawl: Path, ceiling: Path, progress: Progress) -> None:
        self._world, self._pawl, self._ceiling, self._progress = world, pawl, ceiling, progress
        self._seed = random.SystemRandom().randrange(2**32)

    def measure(self, documents: int, runs: int, rate: int, seconds: int) -> Result:
        world = self._world
        self._progress.show(f"making {documents:,} rows")
        world.fill(documents)
        world.database.execute(f"GRANT {PRIVILEGES} ON {DATABASE}.* TO {USER}@'%'")
        self._pipeline = world.configure(world.search.url, {}, TABLE, "outbox")
        self._connection = world.database.connect(database=DATABASE)
        self._progress.say(f"{documents:,} rows; the editors' seed is {self._seed}")
        result = Result(documents)
        warm = 0
        while warm < WARM_DOCUMENTS:
            self._one(CEILING, "to warm up")
            warm += documents
        for number in range(runs):
            programs = [CEILING, PAWL] if number % 2 == 0 else [PAWL, CEILING]  # whatever drifts, drifts against both
            result.runs += [self._one(program, f"run {number + 1} of {runs}") for program in programs]
        if result.runs[-1].program == CEILING:
            world.start_over()  # its index remembers nothing
            self._make_backlog()
        result.steady = self._keep_up(rate, seconds)
        result.steady.waits_alone = self._edit_alone(rate, seconds)
        for number in range(runs):
            for per_transaction, edits in ((1, SINGLE_EDITS), (EDITS_PER_TRANSACTION, TOGETHER_EDITS)):
                for triggers in (False, True) if number % 2 == 0 else (True, False):
                    result.edited.append(self._edit(per_transaction, edits, triggers, number))
        return result

    # The backlog

    def _make_backlog(self) -> None:
        """The whole table in the outbox, and an index that has none of it: it was empty when its first fill was done."""
        self._pawl_does("outbox-sql", "--drop", "--force", "--apply")
        with self._connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        plain_table.create_table(self._connection, TABLE)
        self._pawl_does("outbox-sql", "--apply")
        self._pawl_does("sync")
        columns = COLUMNS.removeprefix("history_id, ")
        with self._connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {TABLE} ({columns}) SELECT {columns} FROM {ALIAS} ORDER BY history_id")
            cursor.execute(f"ANALYZE TABLE {TABLE}, {self._pipeline.outbox}")

    def _pawl_does(self, *words: str) -> child.Cost:
        return child.run([str(self._pawl), *words, "--config", str(self._world.config)], self._world.folder)

    def _one(self, program: str, which: str) -> Run:
        self._progress.show("waiting until the servers are quiet")
        self._world.start_over()
        if program == PAWL:
            self._make_backlog()
            load.wait_until_quiet(self._world.server_groups())
            if rows_of_outbox(self._connection, self._pipeline) != self._world.documents:
                raise Wrong("the outbox does not hold the backlog")
        self._progress.show(f"{program}, {which}")
        groups = self._world.server_groups()
        servers, busy = sum(map(load.group_seconds, groups)), load.busy_seconds()
        cost = self._world.run_ceiling(self._ceiling) if program == CEILING else self._pawl_does("sync")
        servers = sum(map(load.group_seconds, groups)) - servers
        other = load.busy_seconds() - busy - servers - cost.cpu_seconds
        self._world.check_index(versions=program == CEILING)
        if program == PAWL and rows_of_outbox(self._connection, self._pipeline) != 0:
            raise Wrong("rows are left in the outbox")
        run = Run(program, cost.wall_seconds, cost.cpu_seconds, servers, cost.rss_bytes_max,
                  max(0.0, other) / cost.wall_seconds / load.PROCESSORS)
        self._progress.say(f"{program}, {which}: {self._world.documents / run.wall_seconds:,.0f} documents/s, "
                           f"{1e6 * run.cpu_seconds / self._world.documents:.2f} µs of own CPU each; others used "
                           f"{run.other_share:.0%} of the machine")
        return run

    # The steady load

    def _keep_up(self, rate: int, seconds: int) -> Steady:
        """The index is there, and the table in it or in the outbox."""
        daemon = lab_pawl.Pawl(self._pawl, self._world.config, self._world.folder / "pawl.log")
        daemon.start()
        try:
            assert daemon.process
            daemon.wait_until_caught_up(self._connection, self._pipeline, CAUGHT_UP_SECONDS_MAX)
            cpu = load.group_seconds(daemon.process.pid)
            with self._editors(rate * seconds, EDITS_PER_TRANSACTION, rate, "steady") as editors:
                waiting, begun = [], time.monotonic()
                while editors.at_work():
                    waiting.append((time.monotonic() - begun, rows_of_outbox(self._connection, self._pipeline)))
                    self._progress.show(f"{rate:,} edits a second: {waiting[-1][1]:,} rows wait in the outbox")
                    time.sleep(LOOK_SECONDS)
                ended = time.monotonic()
                tally = editors.result()
            daemon.wait_until_caught_up(self._connection, self._pipeline, CAUGHT_UP_SECONDS_MAX)
            steady = Steady(tally.edits, tally.seconds, waiting, time.monotonic() - ended,
                            load.group_seconds(daemon.process.pid) - cpu, child.peak_of(daemon.process.pid),
                            waits_of(tally))
            daemon.stop()
        finally:
            daemon.end()
        if tally.edits / tally.seconds < RATE_MIN * rate:
            self._progress.say(f"the editors made {tally.edits / tally.seconds:,.0f} edits a second only")
        return steady

    def _edit_alone(self, rate: int, seconds: int) -> Waits:
        """The triggers write into the outbox, and nobody takes anything out."""
        self._progress.show(f"{rate:,} edits a second without pawl")
        with self._editors(rate * seconds, EDITS_PER_TRANSACTION, rate, "steady") as editors:
            return waits_of(editors.result())

    def _editors(self, edits: int, per_transaction: int, rate: Optional[float], which: str) -> Editors:
        with self._connection.cursor() as cursor:
            cursor.execute(f"SELECT entity_id FROM {TABLE} ORDER BY entity_id")
            entities = [row[0] for row in cursor]
        connect = self._world.database.connect
        return Editors(lambda: connect(database=DATABASE), TABLE, entities, edits, per_transaction, rate,
                       f"{self._seed}/{which}")

    # What the triggers cost

    def _edit(self, per_transaction: int, edits: int, triggers: bool, number: int) -> Edited:
        self._pawl_does("outbox-sql", "--drop", "--force", "--apply")
        if triggers:
            self._pawl_does("outbox-sql", "--apply")
        load.wait_until_quiet(self._world.server_groups())
        assert self._world.database.process
        group = self._world.database.process.pid
        cpu = load.group_seconds(group)
        with self._editors(edits, per_transaction, None, f"{per_transaction}/{number}") as editors:
            tally: Tally = editors.result()
        cpu = load.group_seconds(group) - cpu
        times = sorted(tally.transactions)
        done = Edited(per_transaction, triggers, tally.seconds / tally.edits, cpu / tally.edits, times[len(times) // 2])
        self._progress.say(f"{'with' if triggers else 'without'} triggers, {per_transaction} edits a transaction: "
                           f"{1 / done.seconds_per_edit:,.0f} edits/s, {1e6 * done.mariadb_cpu_per_edit:.0f} µs of "
                           "MariaDB's CPU each")
        return done
