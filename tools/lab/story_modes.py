"""What the demo's story is about in each mode: the table, who writes to it, what pawl's user may do."""

import subprocess
from dataclasses import replace

from lab import history, pawl, plain_table

PIPELINE = pawl.Pipeline(
    name="lex",
    table="lex",
    alias="lex",
    fields={"_entry_version": "version", "_last_modified": "last_modified", "_last_modified_by": "last_modified_by"},
    constants={"_resource_id": "lex"},
)


class Revision:
    pipeline = PIPELINE
    loaded = "loaded as adds"
    truth = "history"
    create_table = staticmethod(history.create_table)
    writer = history.Writer

    def grants(self, database):
        return [f"SELECT, LOCK TABLES ON {database}.*"]

    def prepare(self, story):
        """Nothing: the history is all that pawl needs."""

    def tell_reading(self, story, before, newest, seconds):
        rate = (newest - before) / seconds
        story.figure(f"read revisions {before:,} to {newest:,} in {seconds:.1f} s ({rate:,.0f} revisions/s)")

    def tell_what_waits(self, story):
        """What waits is above the watermark, which `dump` shows."""


class Outbox:
    pipeline = replace(PIPELINE, mode="outbox")
    loaded = "in a plain table"
    truth = "row"
    create_table = staticmethod(plain_table.create_table)
    writer = plain_table.PlainWriter

    def grants(self, database):
        return [f"SELECT, TRIGGER ON {database}.{self.pipeline.table}"]

    def prepare(self, story):
        """As an administrator does: what `pawl outbox-sql` prints is run by somebody who may make triggers."""
        sql = subprocess.run(story.pawl.command("outbox-sql"), stdout=subprocess.PIPE, check=True).stdout
        client = ["mariadb", "--no-defaults", f"--socket={story.database.socket}", "--user=root", story.DATABASE]
        subprocess.run(client, input=sql, check=True)
        outbox = f"{story.DATABASE}.{self.pipeline.outbox}"
        story.database.execute(f"GRANT SELECT, INSERT, DELETE ON {outbox} TO {story.USER}@'%'")
        triggers = story.database.execute("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS ORDER BY TRIGGER_NAME")
        names = ", ".join(name for (name,) in triggers)
        story.progress.say(f"pawl outbox-sql | mariadb: the outbox {outbox}, and its triggers {names}")

    def tell_reading(self, story, before, newest, seconds):
        story.figure(f"filled in the rest of WordNet, and read the outbox from {before:,} to {newest:,}, in {seconds:.1f} s")

    def tell_what_waits(self, story):
        story.figure(f"  rows that wait in the outbox: {pawl.rows_of_outbox(story.connection, self.pipeline):,}")


MODES = {"revision": Revision, "outbox": Outbox}
