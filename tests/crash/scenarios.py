"""What pawl lives through in the crash point test: each scenario has a table, a config, a journal and an alias of its
own, brings them to where it begins (`prepare`), and lets pawl run into its crash point (`act`)."""

import json
import os
import random
import re
import signal
import subprocess
import tempfile
import time

from program import TABLE_SQL

from lab.pawl import POLL_SECONDS, PawlError, newest_revision, rows_in_gaps

ENTITIES = 150
ROWS_AT_FIRST = 400
ROWS_BETWEEN = 40  # written between the kill and the restart: what a replay must not overtake
WAIT_SECONDS_MAX = 30
END_SECONDS_MAX = 20  # for a daemon to end after SIGTERM, or by its crash point
LIMITS = "batch_documents = 25\nbatches_open = 3"
SMALL_LIMITS = "batch_documents = 1\nbatches_open = 3"
ROWS_TO_PRUNE = 260  # batches of one row: more than the journal keeps of the committed ones
REQUESTS = 3  # of an operator, so that its points have a second and a later hit
EARLIER_CRASHES = ("after:send_bulk:2", "after:judge_answer:2", "after:write_journal/apply_batch:2",
                   "before:write_journal/commit_batches:3", "during:commit:4")  # fmt: skip
STATE_SQL = """
CREATE TABLE {state} (entity_id VARCHAR(700) NOT NULL PRIMARY KEY, version INT NOT NULL, body LONGTEXT)
ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
"""
FOLLOW_SQL = """
CREATE TRIGGER {table}_follow AFTER INSERT ON {table} FOR EACH ROW
IF NEW.discarded THEN DELETE FROM {state} WHERE entity_id = NEW.entity_id;
ELSE INSERT INTO {state} VALUES (NEW.entity_id, NEW.version, NEW.body)
  ON DUPLICATE KEY UPDATE version = NEW.version, body = NEW.body;
END IF
"""
INSERT_SQL = "INSERT INTO {table} (entity_id, version, body, discarded) VALUES (%s, %s, %s, %s)"


class History:
    """A table, and a writer of random changes to it."""

    def __init__(self, database, table, seed):
        self.random = random.Random(seed)
        self.table = table
        self.versions = {}
        self.database = database
        self.connection = database.connect(database="karp")
        self.connection.cursor().execute(TABLE_SQL.format(table=table))

    def close(self):
        self.connection.cursor().execute(f"DROP TABLE {self.table}")
        self.connection.close()

    def write(self, rows):
        self.insert([self.change() for _ in range(rows)])

    def change(self):
        body = {"word": f"w{self.random.randrange(10**6)}", "n": self.random.randrange(10**6)}
        if self.random.random() < 0.02:
            body["n"] = "not a number"  # the index will refuse it
        return self.row(f"e{self.random.randrange(ENTITIES)}", body, self.random.random() < 0.15)

    def row(self, entity, body, discarded=False):
        version = self.versions[entity] = self.versions.get(entity, 0) + 1
        return entity, version, json.dumps(body), discarded

    def insert(self, rows, connection=None):
        with (connection or self.connection).cursor() as cursor:
            cursor.executemany(INSERT_SQL.format(table=self.table), rows)

    def mend(self, entities):
        """A newer row that the index takes."""
        self.insert([self.row(entity, {"word": "mended"}) for entity in entities])

    def spoil(self):
        """Rows that the index will refuse, so that the quarantine is not empty."""
        self.insert([self.row(f"spoiled-{number}", {"n": "not a number"}) for number in range(REQUESTS)])


class Scenario:
    """`sync` on a full table, with no journal and no index."""

    limits = LIMITS
    rows_at_first = ROWS_AT_FIRST
    weight = 1  # among the scenarios of a mode that reach a point

    def prepare(self, _program, history):
        history.write(self.rows_at_first)

    def act(self, program, failpoint, _history):
        return program.run("sync", failpoint=failpoint)

    def clear(self, _program, _history):
        """After the crash, or after it did not come: what has to be put right before pawl starts again."""


class FirstFill(Scenario):
    pass


class ManyBatches(Scenario):
    """More of them than the journal keeps: it prunes."""

    limits = SMALL_LIMITS

    def prepare(self, program, history):
        super().prepare(program, history)
        program.must("sync")
        history.write(ROWS_TO_PRUNE)


class OtherShape(Scenario):
    """A column has become another kind of number; what it says is as it was."""

    def prepare(self, program, history):
        super().prepare(program, history)
        program.must("sync")
        with history.connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {history.table} MODIFY discarded INT")
        history.write(ROWS_BETWEEN)


class CrashedBefore(Scenario):
    """The second crash in a row, in the middle of recovery or after it."""

    def prepare(self, program, history):
        super().prepare(program, history)
        died = program.run("sync", failpoint=history.random.choice(EARLIER_CRASHES))
        assert died.returncode == -signal.SIGKILL, died.stderr
        history.write(ROWS_BETWEEN)


class IndexGone(Scenario):
    """The journal knows an index that nobody has any more."""

    def prepare(self, program, history):
        super().prepare(program, history)
        program.must("sync")
        program.remove_index()
        history.write(ROWS_BETWEEN)


class IndexDown(Scenario):
    """A journal that knows the pipeline, and an index that does not answer."""

    nowhere = "http://127.0.0.1:9"

    def prepare(self, program, history):
        super().prepare(program, history)
        program.must("sync")
        program.edit(program.index.url, self.nowhere)

    def act(self, program, failpoint, _history):
        return run_until_dead(program, failpoint, lambda process: wait(
            process, lambda: status(program)["condition"] == "RETRYING", "saying that the index is down"))  # fmt: skip

    def clear(self, program, _history):
        program.edit(self.nowhere, program.index.url)


class OperatorRetries(Scenario):
    """A running daemon, and a person who wants its quarantine tried again."""

    action = "retry"

    def prepare(self, program, history):
        super().prepare(program, history)
        history.spoil()
        program.must("sync")
        self.entities = sorted(program.quarantine())
        assert len(self.entities) >= REQUESTS

    def act(self, program, failpoint, _history):
        def disturb(process):
            for entity in self.entities[:REQUESTS]:
                asked = program.run("quarantine", self.action, entity)
                if "asked pawl" in asked.stdout:
                    wait(process, lambda: not list(program.journal.glob("requests/*.json")), "taking a request")

        return run_until_dead(program, failpoint, disturb)


class OperatorDrops(OperatorRetries):
    """The same, and a person who gives the quarantine up: those entities stay out until their next row."""

    action = "drop"

    def clear(self, _program, history):
        history.mend(self.entities)


class LateRows(Scenario):
    """A daemon that meets gaps: rolled-back inserts, and rows that are committed after higher ones."""

    transactions = 4
    rows_each = 3

    def prepare(self, program, history):
        super().prepare(program, history)
        program.must("sync")
        self.late = []

    def act(self, program, failpoint, history):
        def disturb(process):
            for _ in range(self.transactions):
                self.roll_back(history)
                late = self.begin_late(history)
                history.write(self.rows_each)
                wait(process, lambda: seen_all(program, history), "reading over a gap")
                late.commit()
            # Nobody writes any more, so what was rolled back is proven dead.
            wait(process, lambda: not status(program)["gaps"], "closing the gaps")

        return run_until_dead(program, failpoint, disturb)

    def begin_late(self, history):
        connection = self.connect(history)
        # Entities of its own: whoever writes the same one waits for this transaction.
        rows = [history.row(f"late-{len(self.late)}-{n}", {"word": "late"}) for n in range(self.rows_each)]
        history.insert(rows, connection)
        self.late.append(connection)
        return connection

    def roll_back(self, history):
        with self.connect(history) as connection:
            history.insert([(f"never-{n}", 1, "{}", False) for n in range(self.rows_each)], connection)
            connection.rollback()

    @staticmethod
    def connect(history):
        return history.database.connect(database="karp", autocommit=False)

    def clear(self, _program, _history):
        for connection in self.late:
            connection.commit()
            connection.close()


class Rebuild(Scenario):
    """A new index is filled beside the live one; the next call ends what was begun."""

    def prepare(self, program, history):
        super().prepare(program, history)
        program.must("sync")
        history.write(ROWS_BETWEEN)

    def act(self, program, failpoint, _history):
        return program.run("rebuild", "--drop-old", failpoint=failpoint)

    def clear(self, program, _history):
        program.must("rebuild", "--drop-old")


class Outbox(Scenario):
    """Outbox mode: a table that a trigger keeps at what the history says, its first fill, and what comes meanwhile."""

    def prepare(self, program, history):
        state, table = f"{history.table}_state", history.table
        with history.connection.cursor() as cursor:
            cursor.execute(STATE_SQL.format(state=state))
            cursor.execute(FOLLOW_SQL.format(state=state, table=table))
        text = program.config.read_text(encoding="utf-8")
        head, rest = text.split("[pipeline.source]")
        tail = rest[rest.index("[pipeline.document]") :]
        source = f'[pipeline.source]\nmode = "outbox"\ntable = "{state}"\nentity = "entity_id"\n\n'
        program.config.write_text(head + source + tail, encoding="utf-8")
        program.has_outbox = True
        super().prepare(program, history)
        program.must("outbox-sql", "--apply")
        history.write(ROWS_BETWEEN)


class OutboxRebuild(Outbox):
    """A new index in outbox mode, beside a daemon that goes on deleting rows: they are kept for it, and handed back."""

    weight = 0.2  # it takes far longer than the others

    def prepare(self, program, history):
        super().prepare(program, history)
        program.must("sync")

    def act(self, program, failpoint, history):
        environment = dict(os.environ, PAWL_FAILPOINT=failpoint)
        command = program.pawl.command("rebuild", "--drop-old")
        with program.running(), tempfile.TemporaryFile("w+") as stderr:
            with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=stderr) as process:
                while process.poll() is None:
                    history.write(1)
                    time.sleep(POLL_SECONDS)
            stderr.seek(0)
            return subprocess.CompletedProcess(command, process.returncode, "", stderr.read())

    def clear(self, program, _history):
        program.must("rebuild", "--drop-old")


SCENARIOS = (FirstFill, ManyBatches, OtherShape, CrashedBefore, IndexGone, IndexDown, OperatorRetries, OperatorDrops,
             LateRows, Rebuild, Outbox, OutboxRebuild)  # fmt: skip


def status(program):
    return program.pawl.status(program.pipeline.name)


def seen_all(program, history):
    """High is the newest committed row, and no gap hides a committed one."""
    present = status(program)
    return (present["high"] >= newest_revision(history.connection, program.pipeline)
            and not rows_in_gaps(history.connection, program.pipeline, present["gaps"]))  # fmt: skip


def wait(process, condition, what):
    """Until the condition holds; a process that has died is what the test is about, and ends the wait too."""
    end = time.monotonic() + WAIT_SECONDS_MAX
    while process.poll() is None:
        try:
            if condition():
                return
        except PawlError:  # it died between the two lines
            continue
        assert time.monotonic() < end, f"{what}: not within {WAIT_SECONDS_MAX} s"
        time.sleep(POLL_SECONDS)


def run_until_dead(program, failpoint, disturb):
    """`pawl run`, with `disturb(process)` once it holds the journal; told to stop when the point has not come by
    then."""
    environment = dict(os.environ, PAWL_FAILPOINT=failpoint)
    with subprocess.Popen(program.pawl.command("run"), env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            program.wait_until_running(process)
            disturb(process)
            process.terminate()
            stderr = process.communicate(timeout=END_SECONDS_MAX)[1]
        finally:
            process.kill()
        return subprocess.CompletedProcess([], process.returncode, "", stderr)


def counts_in(stderr):
    """{point: hits} of a run with PAWL_FAILPOINT=count."""
    return {name: int(hits) for name, hits in re.findall(r"^failpoint (\S+) (\d+)$", stderr, re.MULTILINE)}
