#!/usr/bin/python3
"""Eight writers commit out of order while connections, clients, pawl and MariaDB are killed: no row is lost, no writer waits.

The run is cut into windows: without pawl, with it, and with a pawl that is stopped (SIGSTOP) at random moments and killed once. In all of
them the same writers (writers.py) write; what their statements and commits take is compared. Between two
windows they rest, and the watermark must come to the highest revision: everything below is in the index or proven dead.

Readers that many have written run beside pawl (naive.py). They must lose rows, or the load shows nothing.

--mode outbox: the same with a plain table that pawl's own triggers watch: at each rest its outbox must become empty.

    late_commits_test.py --binary build/dev/pawl [--mode outbox] [--seed N] [--rows 200000] [--window SECONDS]
"""

import argparse
import contextlib
import os
import pathlib
import random
import signal
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "load")]

import pymysql
from late_modes import MODES
from naive import NaiveReader
from program import Program
from writers import LOCK_WAIT_ERROR, Writers, make_words

from lab.servers import MariaDB, SearchServer, TemporaryFolder

STOPPED_SECONDS_MAX = 0.3
BETWEEN_STOPS_SECONDS_MAX = 0.1
DISTURBANCES = 2  # killed connections and killed clients in each window

# How much slower a writer may look on a machine that is shared with Elasticsearch: p50 and p99 against those without pawl.
SLOWER_FACTOR_MAX = 3
SLOWER_SECONDS_MAX = 0.25
TABLE_WAIT_SECONDS_MAX = 0.25  # for a table's metadata lock, which the server itself measures

WITHOUT, WITH, STOPPED, SERVER_DIES = range(4)
NAMES = ("without pawl", "with pawl", "pawl stopped now and then", "MariaDB dies")
ORDER = (WITHOUT, WITH, STOPPED, SERVER_DIES, WITH, WITHOUT)
LIMITS = "batch_documents = 500"
# The server itself counts who has waited for a table.
COUNT_WAITS = [
    "--performance-schema=ON",
    "--performance-schema-instrument=wait/lock/metadata/sql/mdl=ON",
    "--performance-schema-consumer-global-instrumentation=ON",
]
WAITS_SQL = """
SELECT COUNT_STAR, MAX_TIMER_WAIT / 1e12 FROM performance_schema.events_waits_summary_global_by_event_name
WHERE EVENT_NAME = 'wait/lock/metadata/sql/mdl'
"""


class Run:
    def __init__(self, options, folder, database, index):
        self.options, self.database, self.random = options, database, random.Random(options.seed)
        database.execute("CREATE DATABASE karp")
        self.connection = database.connect(database="karp")
        make_words(self.connection)
        self.program = Program(options.binary, folder, "late", database, index, limits=LIMITS, mode=options.mode)
        self.pawl = self.program.pawl
        self.mode = MODES[options.mode](self)
        self.check_that_waits_are_counted()
        self.table_waits = []  # (phase, how many, the longest)
        self.rests = self.stops = 0

    def check_that_waits_are_counted(self):
        """A lock that is held shows: else none that pawl held would."""
        with self.database.connect(database="karp") as holder, self.database.connect(database="karp") as waiter:
            with holder.cursor() as hold, waiter.cursor() as wait:
                hold.execute("LOCK TABLES lex READ")
                wait.execute("SET SESSION lock_wait_timeout = 1")
                try:
                    wait.execute("INSERT INTO lex (entity_id, version, body) VALUES ('never', 1, '{}')")
                    raise AssertionError("LOCK TABLES … READ lets writers write")
                except pymysql.err.OperationalError as error:
                    assert error.args[0] == LOCK_WAIT_ERROR, error
        count, longest = self.rows(WAITS_SQL)[0]
        assert count == 1 and longest > TABLE_WAIT_SECONDS_MAX, f"{count} waits, the longest {longest} s"

    def forget_waits(self):
        """Each of these hands what it forgets to the next ones."""
        for whose in ("thread", "account", "user", "host"):
            self.rows(f"TRUNCATE performance_schema.events_waits_summary_by_{whose}_by_event_name")
        self.rows("TRUNCATE performance_schema.events_waits_summary_global_by_event_name")

    def value(self, sql):
        return self.rows(sql)[0][0]

    def rows(self, sql):
        self.connection.ping(reconnect=True)
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def write(self, writers):
        window = 0
        while window < len(ORDER) or sum(writers.rows) < self.options.rows:
            phase = ORDER[window % len(ORDER)]
            if phase == WITHOUT:
                self.pawl.stop()
            self.forget_waits()
            writers.go(phase)
            getattr(self, ("let_be", "let_be", "stop_pawl", "kill_server")[phase])(writers)
            writers.rest()
            writers.check()
            self.table_waits.append((phase, *self.rows(WAITS_SQL)[0]))
            if phase == WITHOUT:
                self.start()
            self.mode.wait_at_rest()
            self.rests += 1
            window += 1
            print(f"window {window}, {NAMES[phase]}: {sum(writers.rows):,} rows", flush=True)

    def start(self):
        self.pawl.start()
        self.program.wait_until_running(self.pawl.process)

    # The windows

    def let_be(self, writers):
        for part in range(DISTURBANCES):
            time.sleep(self.options.window / (DISTURBANCES + 1))
            writers.kill_connection() if part % 2 == 0 else writers.kill_client()
        time.sleep(self.options.window / (DISTURBANCES + 1))

    def stop_pawl(self, writers):
        """SIGSTOP at random moments; once SIGKILL and a new start, with gaps open."""
        begin = time.monotonic()
        killed = False
        while time.monotonic() < begin + self.options.window:
            time.sleep(self.random.uniform(0, BETWEEN_STOPS_SECONDS_MAX))
            os.kill(self.pawl.process.pid, signal.SIGSTOP)
            time.sleep(self.random.uniform(0, STOPPED_SECONDS_MAX))
            os.kill(self.pawl.process.pid, signal.SIGCONT)
            self.stops += 1
            if not killed and time.monotonic() > begin + self.options.window / 2:
                killed = True
                self.pawl.kill()
                self.start()
        writers.check()

    def kill_server(self, _writers):
        time.sleep(self.options.window / 2)
        self.database.kill()
        self.database.start()
        time.sleep(self.options.window / 2)

    # The verdict

    def judge(self, writers, lost):
        """`lost`: {naive reader: how much it has lost}."""
        print(f"{sum(writers.rows):,} rows written, {self.mode.describe()}; {self.rests} times at rest; {self.stops} stops of "
              f"pawl; {sum(writers.broken)} transactions broken off")
        report = self.program.check_equal(self.connection)
        print(f"pawl lost nothing: {report.equal:,} documents are equal")
        for reader, count in lost.items():
            print(f"{reader}: lost {count:,}")
            if count == 0:
                raise AssertionError(f"{reader}: it lost nothing, so this load shows nothing")
        if sum(writers.rows) < self.options.rows:
            raise AssertionError(f"only {sum(writers.rows)} rows")
        self.judge_latencies(writers.latencies())

    def judge_latencies(self, latencies):
        print(f"{'':<27}{'n':>8}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
        for kind in ("statement", "commit"):
            for phase in (WITHOUT, WITH, STOPPED):
                values = latencies[phase, kind]
                p50, p99 = quantile(values, 0.5), quantile(values, 0.99)
                print(f"{NAMES[phase]:<26}{kind[0]}{len(values):>8}{p50 * 1e3:>9.2f}{p99 * 1e3:>9.2f}{values[-1] * 1e3:>9.2f}")
                for share in (0.5, 0.99):
                    without, now = quantile(latencies[WITHOUT, kind], share), quantile(values, share)
                    if now > without * SLOWER_FACTOR_MAX + SLOWER_SECONDS_MAX:
                        raise AssertionError(f"{NAMES[phase]}: a {kind} takes {now:.3f} s, without pawl {without:.3f} s")
        for phase in (WITHOUT, WITH, STOPPED):
            waits = [(count, longest or 0) for found, count, longest in self.table_waits if found == phase]
            longest = max(longest for _, longest in waits)
            print(f"{NAMES[phase]}: {sum(count for count, _ in waits)} waits for a metadata lock, the longest "
                  f"{float(longest) * 1e3:.2f} ms")
            if longest > TABLE_WAIT_SECONDS_MAX:
                raise AssertionError(f"{NAMES[phase]}: somebody has waited {longest} s for a table")


def quantile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def run(options):
    with TemporaryFolder() as folder, MariaDB(folder / "db", COUNT_WAITS) as database:
        with SearchServer("elasticsearch-8.19.7", folder / "es") as index:
            load = Run(options, folder, database, index)
            writers = None
            try:
                load.start()
                load.mode.ready()
                with contextlib.ExitStack() as stack:
                    readers = [stack.enter_context(NaiveReader(database, folder, kind)) for kind in load.mode.naive]
                    writers = Writers([database], folder, options.seed, load.mode.writer)
                    load.write(writers)
                    writers.end()
                    load.judge(writers, {reader.name: reader.lost(load.connection) for reader in readers})
                load.pawl.stop()
            finally:
                load.pawl.end()
                if writers:
                    writers.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--mode", choices=sorted(MODES), default="revision")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--rows", type=int, default=2_000, help="at least so many committed rows")
    parser.add_argument("--window", type=float, default=3.0, help="seconds")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    run(options)


if __name__ == "__main__":
    main()
