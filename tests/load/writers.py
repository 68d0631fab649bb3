"""Writers that commit out of order: one process each, so that one may be killed as a client dies.

A transaction lasts from nothing to five seconds and holds single rows, multi-row inserts, INSERT IGNORE of rows that are there
already, and INSERT … SELECT; some are rolled back. They insert into a history; table_writers.py has those that change a
plain table. What a writer measures goes to a file of its own, a line each:

    <phase> statement|commit <seconds>
"""

import json
import multiprocessing
import os
import random
import signal
import time

import pymysql

WRITERS = 8
TRANSACTION_SECONDS_MAX = 5.0
PAUSE_SECONDS_MAX = 0.5  # between two statements of a transaction
ROWS_PER_STATEMENT_MAX = 40
ROLLBACK_SHARE = 0.15
AGAIN_SHARE = 0.25  # of the rows: a newer row of an entity that this writer has written before
DISCARDED_SHARE = 0.1
INCREMENT_SHARE = 0.5  # of the connections: they take every third revision
LOCK_WAIT_SECONDS = 1  # who waits longer for a table fails; the default is a day
RECONNECT_SECONDS = 0.05
LOCK_WAIT_ERROR = 1205

WORDS = 500  # rows of `words`, from which INSERT … SELECT copies
INSERT = "INSERT INTO lex (entity_id, version, body, discarded) VALUES "
INSERT_IGNORE = INSERT.replace("INSERT", "INSERT IGNORE", 1)
INSERT_SELECT = (
    "INSERT INTO lex (entity_id, version, body, discarded)"
    " SELECT CONCAT(%s, id), %s, body, 0 FROM words WHERE id BETWEEN %s AND %s"
)


def make_words(connection):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE words (id INT PRIMARY KEY, body LONGTEXT NOT NULL) ENGINE=InnoDB")
        rows = [(number, json.dumps({"word": f"copy {number}", "n": number})) for number in range(WORDS)]
        cursor.executemany("INSERT INTO words VALUES (%s, %s)", rows)


class Writers:
    """All writers, and what they are told. Values without locks: a killed process would leave a lock taken.

    `databases`: they share these evenly; `writer`: what each of them is (HistoryWriter and its like)."""

    def __init__(self, databases, folder, seed, writer):
        self.databases, self.folder, self.random, self.writer = databases, folder, random.Random(seed), writer
        self.phase = multiprocessing.RawValue("i", 0)
        self.resting = multiprocessing.RawValue("b", 0)
        self.rows = multiprocessing.RawArray("q", WRITERS)  # committed, by each
        self.broken = multiprocessing.RawArray("q", WRITERS)  # transactions and connections, of each
        self.at_rest = multiprocessing.RawArray("b", WRITERS)
        self.connection_ids = multiprocessing.RawArray("q", WRITERS)
        self.started = 0
        self.processes = [self._start(number) for number in range(WRITERS)]

    def _start(self, number):
        self.started += 1
        writer = self.writer(self, number, self.started, self.random.randrange(2**32))
        process = multiprocessing.get_context("fork").Process(target=writer.run, daemon=True)
        process.start()
        return process

    def database_of(self, number):
        return self.databases[number % len(self.databases)]

    def file(self, number):
        return self.folder / f"latency-{number}"

    def check(self):
        """Raises when a writer has ended by itself; the reason is in its file."""
        for number, process in enumerate(self.processes):
            if not process.is_alive():
                raise AssertionError(f"writer {number} has failed: {self.file(number).read_text()[-2000:]}")

    def rest(self):
        """Returns when no transaction is open."""
        self.resting.value = 1
        while not all(self.at_rest):
            self.check()
            time.sleep(0.01)

    def go(self, phase):
        self.phase.value = phase
        self.resting.value = 0

    def kill_client(self):
        """SIGKILL of a process: the server finds out by itself. Another takes its place, with the same number."""
        number = self.random.randrange(WRITERS)
        os.kill(self.processes[number].pid, signal.SIGKILL)
        self.processes[number].join()
        self.processes[number] = self._start(number)

    def kill_connection(self):
        """KILL CONNECTION, in the middle of whatever it does."""
        number = self.random.randrange(WRITERS)
        try:
            self.database_of(number).execute(f"KILL CONNECTION {self.connection_ids[number]}")
        except pymysql.err.OperationalError as error:
            if error.args[0] != 1094:  # it is gone already
                raise

    def end(self):
        for process in self.processes:
            process.kill()
            process.join()

    def latencies(self):
        """{(phase, "statement" or "commit"): sorted seconds}"""
        found = {}
        for number in range(WRITERS):
            for line in self.file(number).read_text(encoding="utf-8").splitlines():
                phase, kind, seconds, *rest = line.split(" ") + [""]
                if kind in ("statement", "commit") and rest == [""]:  # a killed writer's last line may be cut
                    found.setdefault((int(phase), kind), []).append(float(seconds))
        return {key: sorted(values) for key, values in found.items()}


class HistoryWriter:
    """In a process of its own. Each change is another row of the history."""

    def __init__(self, shared, number, serial, seed):
        self.shared, self.number, self.serial, self.random = shared, number, serial, random.Random(seed)
        self.entities = 0
        self.version = 0
        self.written = []  # (entity, version) of this writer's last rows, committed or not
        self.connection = None

    def run(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with self.shared.file(self.number).open("a", encoding="utf-8") as self.log:
            try:
                self._write_for_ever()
            except BaseException as error:
                self.log.write(f"{type(error).__name__}: {error}\n")
                raise

    def _write_for_ever(self):
        while True:
            while self.shared.resting.value:
                self.shared.at_rest[self.number] = 1
                time.sleep(0.01)
            self.shared.at_rest[self.number] = 0
            try:
                if self.connection is None:
                    self._connect()
                self._transaction()
                self.log.flush()
            except (pymysql.err.OperationalError, pymysql.err.InterfaceError, OSError) as error:
                if error.args and error.args[0] == LOCK_WAIT_ERROR:
                    raise  # somebody has made this writer wait
                self.shared.broken[self.number] += 1
                self.connection = None  # killed, or the server has died
                time.sleep(RECONNECT_SECONDS)

    def _connect(self):
        self.connection = self.shared.database_of(self.number).connect(database="karp", autocommit=False)
        self.shared.connection_ids[self.number] = self.connection.thread_id()
        with self.connection.cursor() as cursor:
            cursor.execute(f"SET SESSION lock_wait_timeout = {LOCK_WAIT_SECONDS}")
            if self.random.random() < INCREMENT_SHARE:
                cursor.execute("SET SESSION auto_increment_increment = 3")

    def _transaction(self):
        end = time.monotonic() + TRANSACTION_SECONDS_MAX * self.random.random() ** 2
        rows = 0
        while True:
            rows += self._timed("statement", self._statement)
            left = end - time.monotonic()
            if left <= 0 or self.shared.resting.value:
                break
            time.sleep(min(left, PAUSE_SECONDS_MAX * self.random.random()))
        rows += self._last_statement()
        committed = self.random.random() >= ROLLBACK_SHARE
        if committed:
            self._timed("commit", self.connection.commit)
            self.shared.rows[self.number] += rows
        else:
            self.connection.rollback()
        self._ended(committed)

    def _timed(self, kind, do):
        phase, begin = self.shared.phase.value, time.perf_counter()
        result = do()
        seconds = time.perf_counter() - begin
        if phase == self.shared.phase.value:
            self.log.write(f"{phase} {kind} {seconds:.6f}\n")
        return result

    def _last_statement(self):
        """One that must not be followed by a pause. Returns how many rows it has changed."""
        return 0

    def _ended(self, committed):
        """The transaction is over, and well."""

    def _statement(self):
        """Returns how many rows it has inserted."""
        with self.connection.cursor() as cursor:
            choice = self.random.random()
            if choice < 0.2:
                first = self.random.randrange(WORDS)
                last = first + self.random.randrange(ROWS_PER_STATEMENT_MAX)
                self.version += 1
                prefix = f"w{self.number}-{self.serial}-copy-{self.version}-"
                return cursor.execute(INSERT_SELECT, (prefix, self.version, first, last))
            if choice < 0.35 and self.written:
                # Some are there already: their revisions are handed out and never used.
                rows = self._rows() + [self._row(*key) for key in self.written[-5:]]
                return self._insert(cursor, INSERT_IGNORE, rows)
            return self._insert(cursor, INSERT, self._rows() if choice < 0.8 else self._rows(1))

    def _insert(self, cursor, insert, rows, after=""):
        values = [value for row in rows for value in row]
        places = f"({', '.join(['%s'] * len(rows[0]))})"
        return cursor.execute(insert + ", ".join([places] * len(rows)) + after, values)

    def _rows(self, count=None):
        rows = []
        for _ in range(count or self.random.randint(1, ROWS_PER_STATEMENT_MAX)):
            self.version += 1
            if self.written and self.random.random() < AGAIN_SHARE:
                entity = self.random.choice(self.written)[0]
            else:
                self.entities += 1
                entity = f"w{self.number}-{self.serial}-{self.entities}"
            self.written = self.written[-1000:] + [(entity, self.version)]
            rows.append(self._row(entity, self.version))
        return rows

    def _row(self, entity, version):
        body = {"word": f"{entity} {version}", "n": self.random.randrange(10**6)}
        return entity, version, json.dumps(body), self.random.random() < DISCARDED_SHARE
