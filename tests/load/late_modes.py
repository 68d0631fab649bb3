"""What the late-commit load is in each mode: its table, its writers, what is owed at rest, who else reads."""

from naive import AboveLastId, DeletesByRange, TrustsMax
from program import TABLE_SQL as HISTORY_SQL
from table_writers import TABLE_SQL, TableWriter, make_boundaries
from writers import HistoryWriter

AT_REST_SECONDS_MAX = 60


class Revision:
    writer = HistoryWriter
    naive = (TrustsMax,)

    def __init__(self, run):
        self.run = run
        run.connection.cursor().execute(HISTORY_SQL.format(table="lex"))

    def ready(self):
        """pawl runs."""

    def wait_at_rest(self):
        """Nobody writes: all that is missing is dead, and pawl finds that out by itself."""
        highest = self.run.value("SELECT COALESCE(MAX(history_id), 0) FROM lex")

        def arrived():
            status = self.run.pawl.status("lex")
            return status and status["watermark"] == highest and not status["gaps"]

        self.run.pawl.poll(arrived, f"the watermark at {highest}", AT_REST_SECONDS_MAX)

    def describe(self):
        rows, highest = self.run.rows("SELECT COUNT(*), MAX(history_id) FROM lex")[0]
        return f"{rows:,} in the history, highest revision {highest:,}, the watermark there each time"


class Outbox:
    writer = TableWriter
    naive = (AboveLastId, DeletesByRange)

    def __init__(self, run):
        self.run = run
        run.connection.cursor().execute(TABLE_SQL.format(table="lex"))
        make_boundaries(run.connection)
        run.program.must("outbox-sql", "--apply")
        self.owes = 0  # rows of the outbox at the beginnings of rests
        for reader in self.naive:
            self.make_another_outbox(reader.OUTBOX)

    def make_another_outbox(self, name):
        """With the same triggers, by the same command."""
        source = '[pipeline.source]\n'
        self.run.program.edit(source, f'{source}outbox = "{name}"\n')
        self.run.program.must("outbox-sql", "--apply")
        self.run.program.edit(f'{source}outbox = "{name}"\n', source)

    def ready(self):
        """The table that was there before is in the index."""
        self.wait_at_rest()

    def wait_at_rest(self):
        self.owes += self.run.value(f"SELECT COUNT(*) FROM {self.run.program.pipeline.outbox}")
        self.run.pawl.wait_until_caught_up(self.run.connection, self.run.program.pipeline, AT_REST_SECONDS_MAX)

    def describe(self):
        rows = self.run.value("SELECT COUNT(*) FROM lex")
        counter = self.run.value("SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'karp'"
                                 f" AND TABLE_NAME = '{self.run.program.pipeline.outbox}'")
        return (f"{rows:,} in the table, the outbox's next id is {counter:,}, {self.owes:,} of its rows were there when a rest "
                "began and none at its end")


MODES = {"revision": Revision, "outbox": Outbox}
