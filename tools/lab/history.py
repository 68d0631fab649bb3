"""A history table as Karp's `lex` keeps one, a bulk load of it, and concurrent writers that go on changing it.

Every change is a new row; the row with the highest history_id is the entity's present state, and may say that the
entity is gone (`discarded`).
"""

import json
import multiprocessing
import random
import signal
import time
from dataclasses import dataclass, field

import pymysql

# Karp's own declaration (karp/lex/infrastructure/sql/models.py), as SQLAlchemy renders it for MariaDB. The unique key
# is the only index on entity_id there, so it is here.
TABLE_SQL = """
CREATE TABLE `{table}` (
  history_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_id VARCHAR(26) NOT NULL,
  version INT NOT NULL,
  last_modified DOUBLE NOT NULL,
  last_modified_by VARCHAR(100) NOT NULL,
  body JSON NOT NULL,
  status ENUM('IN_PROGRESS', 'IN_REVIEW', 'OK') NOT NULL,
  message TINYTEXT,
  op ENUM('ADDED', 'DELETED', 'UPDATED') NOT NULL,
  discarded BOOL,
  CONSTRAINT id_version_unique_constraint UNIQUE (entity_id, version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
"""
COLUMNS = (
    "(entity_id, version, last_modified, last_modified_by, body, status, message, op, discarded)"
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
LATEST_SQL = """
SELECT h.entity_id, h.version, h.discarded, h.body FROM `{table}` h JOIN
  (SELECT entity_id, MAX(version) AS version FROM `{table}` WHERE entity_id IN %s GROUP BY entity_id) latest
  USING (entity_id, version)
"""

LOAD_ROWS_PER_TRANSACTION = 5_000
ROWS_PER_TRANSACTION_MAX = 30
ROWS_PER_STATEMENT_MAX = 8  # so a transaction is several statements, and two writers' ids interleave
DELETE_SHARE = 0.15
READD_SHARE = 0.15
ROLLBACK_SHARE = 0.02  # of the transactions; each leaves a hole in history_id
SLOW_SHARE = 0.01  # of the transactions: they stay open while others commit, so their rows come late
SLOW_SECONDS_MAX = 0.2
HOT_SHARE = 0.05  # of the changes go to the same few entities, so that writers meet on them
HOT_ENTITIES = 200
POLL_SECONDS = 0.005

DEADLOCK, LOCK_WAIT_TIMEOUT, DUPLICATE_KEY = 1213, 1205, 1062
# The server went away, or is not there (yet): a socket without a listener, a connection that ended, a shutdown.
SERVER_GONE = (2002, 2003, 2006, 2013, 1053, 0)

# What a body must survive on its way: characters of 2, 3 and 4 bytes, quotes, escaped line breaks and controls.
COMMENTS = ("rättat", "checked", 'says "so"', "two\nlines", "tab\tand \\ and \u0001", "語の意味", "🔧 fixed", "</br>", "")


def create_table(connection, table):
    with connection.cursor() as cursor:
        cursor.execute(TABLE_SQL.format(table=table))


def load(connection, table, entries, user="import", progress=None):
    """Adds `entries`, pairs of (entity id, body), as version 1; returns how many. `progress(rows)` after each commit.
    """
    rows, total = [], 0
    now = time.time()

    def flush():
        connection.begin()
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO `{table}` {COLUMNS}", rows)
        connection.commit()

    for entity, body in entries:
        rows.append(row(entity, 1, body, user, "ADDED", when=now + total * 1e-6))
        total += 1
        if len(rows) == LOAD_ROWS_PER_TRANSACTION:
            flush()
            rows.clear()
            if progress:
                progress(total)
    if rows:
        flush()
    return total


def row(entity, version, body, user, op, when=None):
    """The values of COLUMNS. `body`: an object, or its JSON text."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    message = {"ADDED": "Entry added.", "UPDATED": "Entry updated.", "DELETED": "Entry deleted."}[op]
    status = "IN_PROGRESS" if op == "ADDED" else "OK"
    return entity, version, time.time() if when is None else when, user, text, status, message, op, op == "DELETED"


@dataclass
class Tally:
    """What writers did. Rows count where they were committed."""

    commits: int = 0
    rollbacks: int = 0
    lost: int = 0  # the server went away in the middle: perhaps committed, perhaps not
    conflicts: int = 0  # another writer was quicker with that entity (duplicate version, deadlock)
    updates: int = 0
    deletes: int = 0
    readds: int = 0
    busy_seconds: float = 0.0  # not paused; of all writers together
    commit_seconds: list = field(default_factory=list)  # one COMMIT statement each

    @property
    def rows(self):
        return self.updates + self.deletes + self.readds

    def add(self, other):
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    def commit_milliseconds(self, quantile):
        times = sorted(self.commit_seconds)
        return 1000 * times[min(len(times) - 1, int(quantile * len(times)))] if times else 0.0


class Writers:
    """`count` processes that change the table's entities until `goal` rows are committed, or `stop()`.

    `connect()` gives a new PyMySQL connection; `seed` decides each writer's own choices (not how they interleave).
    `reconnect`: a server that goes away is waited for; without it the writer dies, and waiting for it raises. `writer`: the class of each, Writer or one
    like it. Use as a context manager: leaving it ends the processes.
    """

    def __init__(self, connect, table, entities, count, seed, reconnect=False, writer=None):
        self._context = multiprocessing.get_context("fork")
        self._rows = self._context.RawArray("q", count)  # committed, one slot per writer
        self._paused = self._context.RawArray("b", count)
        self.reconnect = reconnect
        self._goal = self._context.RawValue("q", 0)
        self._stop = self._context.Event()
        make = writer or Writer
        self._writers = [make(connect, table, entities, number, seed, self) for number in range(count)]
        self._pipes, self._processes = [], []

    def __enter__(self):
        for writer in self._writers:
            receiver, sender = self._context.Pipe(duplex=False)
            process = self._context.Process(target=writer.run, args=(sender,), daemon=True)
            process.start()
            sender.close()  # ours, before the next fork: a dead writer must read as the end of its pipe
            self._pipes.append(receiver)
            self._processes.append(process)
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.join()

    @property
    def rows(self):
        """Committed so far, by all."""
        return sum(self._rows)

    @property
    def goal(self):
        return self._goal.value

    @goal.setter
    def goal(self, rows):
        """They pause when so many rows are committed (some transactions more), and go on when it is raised."""
        self._goal.value = rows

    def wait_for(self, rows, deadline_seconds, progress=None):
        """Until `rows` rows are committed. Raises if a writer has died, or at the deadline."""
        end = time.monotonic() + deadline_seconds
        while self.rows < rows:
            self._check_alive()
            if time.monotonic() > end:
                raise TimeoutError(f"writers committed {self.rows} of {rows} rows in {deadline_seconds} s")
            if progress:
                progress(self.rows)
            time.sleep(POLL_SECONDS)

    def wait_until_paused(self, deadline_seconds):
        """Until the goal is reached and no transaction is open any more. Raises if a writer has died, or at the deadline.
        """
        end = time.monotonic() + deadline_seconds
        while not all(self._paused):
            self._check_alive()
            if time.monotonic() > end:
                raise TimeoutError(f"writers do not pause within {deadline_seconds} s")
            time.sleep(POLL_SECONDS)

    def stop(self):
        """Ends them after their present transaction; returns the sum of their tallies."""
        self._stop.set()
        total = Tally()
        for number, pipe in enumerate(self._pipes):
            try:
                result = pipe.recv()
            except EOFError:
                raise RuntimeError(f"writer {number} died; its last words are above") from None
            total.add(result)
        for process in self._processes:
            process.join()
        return total

    def _check_alive(self):
        for number, process in enumerate(self._processes):
            if process.exitcode is not None and not self._stop.is_set():
                raise RuntimeError(f"writer {number} ended by itself with {process.exitcode}; its last words are above")


class Writer:
    """One process of Writers. Each change is another row of the history."""

    def __init__(self, connect, table, entities, number, seed, shared):
        self.connect, self.table, self.entities, self.number, self.shared = connect, table, entities, number, shared
        self.random = random.Random(f"{seed}/{number}")
        self.hot = entities[:HOT_ENTITIES]
        self.user = f"writer-{number}"
        self.graves = []  # entities that this writer has deleted and not added again
        self.tally = Tally()

    def run(self, sender):
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides; Ctrl-C reaches the whole terminal group
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        connection = self.connect()
        shared = self.shared
        while not shared._stop.is_set():
            shared._paused[self.number] = False  # before the goal is looked at: see wait_until_paused
            if shared.rows >= shared.goal:
                shared._paused[self.number] = True
                shared._stop.wait(POLL_SECONDS)
                continue
            started = time.perf_counter()
            connection = self._transaction_or_reconnect(connection)
            self.tally.busy_seconds += time.perf_counter() - started
            shared._rows[self.number] = self.tally.rows
        if connection:
            connection.close()
        sender.send(self.tally)

    def _transaction_or_reconnect(self, connection):
        """Returns the connection to go on with; None: there is none at the moment."""
        try:
            connection = connection or self.connect()
            self._transaction(connection)
            return connection
        except (pymysql.err.OperationalError, pymysql.err.InterfaceError) as error:
            if not (self.shared.reconnect and error.args[0] in SERVER_GONE):
                raise
            self.tally.lost += connection is not None
            self.shared._stop.wait(POLL_SECONDS)
            return None

    def _transaction(self, connection):
        try:
            connection.begin()
            rows = self._write(connection)
            if self.random.random() < SLOW_SHARE:
                time.sleep(self.random.uniform(0, SLOW_SECONDS_MAX))
            if self.random.random() < ROLLBACK_SHARE:
                connection.rollback()
                self.tally.rollbacks += 1
                return
            started = time.perf_counter()
            connection.commit()
            self.tally.commit_seconds.append(time.perf_counter() - started)
        except pymysql.MySQLError as error:
            if error.args[0] not in (DEADLOCK, LOCK_WAIT_TIMEOUT, DUPLICATE_KEY):
                raise
            connection.rollback()
            self.tally.conflicts += 1
            return
        self._count(rows)

    def _write(self, connection):
        """Inserts a new version of some entities, optimistically: a version that is taken is a conflict."""
        with connection.cursor() as cursor:
            cursor.execute(LATEST_SQL.format(table=self.table), (self._pick(),))
            rows = [self._next(*present) for present in cursor.fetchall()]
            left = rows
            while left:
                count = self.random.randint(1, ROWS_PER_STATEMENT_MAX)
                cursor.executemany(f"INSERT INTO `{self.table}` {COLUMNS}", left[:count])
                left = left[count:]
        return rows

    def _pick(self):
        picked = set()
        for _ in range(self.random.randint(1, ROWS_PER_TRANSACTION_MAX)):
            dice = self.random.random()
            if dice < HOT_SHARE:
                picked.add(self.random.choice(self.hot))
            elif dice < HOT_SHARE + READD_SHARE and self.graves:
                picked.add(self.random.choice(self.graves))
            else:
                picked.add(self.random.choice(self.entities))
        return sorted(picked)

    def _next(self, entity, version, discarded, body):
        if discarded:
            return row(entity, version + 1, self._edited(body), self.user, "ADDED")
        if self.random.random() < DELETE_SHARE:
            return row(entity, version + 1, body, self.user, "DELETED")
        return row(entity, version + 1, self._edited(body), self.user, "UPDATED")

    def _edited(self, text):
        body = json.loads(text)
        edits = body.get("edits", {"count": 0})["count"] + 1
        score = self.random.random()
        body["edits"] = {"count": edits, "comment": self.random.choice(COMMENTS), "score": score, "open": score < 0.5}
        return body

    def _count(self, rows):
        self.tally.commits += 1
        for entity, *_, op, _ in rows:
            if op == "DELETED":
                self.tally.deletes += 1
                self.graves.append(entity)
            elif op == "ADDED":
                self.tally.readds += 1
                if entity in self.graves:
                    self.graves.remove(entity)
            else:
                self.tally.updates += 1
