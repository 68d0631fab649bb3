#!/usr/bin/python3
"""Outbox mode on real servers: any table, the triggers that fill its outbox, and what becomes of every change.

    PAWL_BINARY=build/dev/pawl PAWL_SERVER=opensearch-2.19.3 outbox_test.py [Name.test_name]
"""

import json
import os
import pathlib
import shutil
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from busy import Busy
from mishaps import Moved, Watched
from program import Program, enter_servers

BINARY = os.environ["PAWL_BINARY"]
SERVER = os.environ.get("PAWL_SERVER", "elasticsearch-8.19.7")
LIMITS = "checkpoint_interval = '300ms'"
WRITERS = 4
EDITS = 150  # of each writer
TABLE_SQL = """
CREATE TABLE {table} (id VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY,
  word VARCHAR(200), n VARCHAR(20)) ENGINE=InnoDB
"""


def setUpModule():
    global folder, database, index
    folder, database, index = enter_servers(SERVER)


class OutboxTest(Watched, Moved, unittest.TestCase):
    count = 0

    def setUp(self):
        OutboxTest.count += 1
        self.name = f"o{OutboxTest.count}"
        self.outbox = f"pawl_outbox_{self.name}"
        self.connect()
        self.execute(TABLE_SQL.format(table=self.name))
        self.program = self.another("")

    def database(self):
        return database

    def connect(self):
        self.connection = self.database().connect(database="karp")
        self.addCleanup(self.connection.close)

    def another(self, suffix):
        """A pawl for the same table and alias, with a config and a journal of its own."""
        place = folder / suffix if suffix else folder
        place.mkdir(exist_ok=True)
        program = Program(BINARY, place, self.name, self.database(), index, table=self.name, limits=LIMITS)
        text = program.config.read_text(encoding="utf-8")
        head, rest = text.split("[pipeline.source]")
        tail = rest[rest.index("[pipeline.index]") :]
        source = f'[pipeline.source]\nmode = "outbox"\ntable = "{self.name}"\nentity = "id"\n\n'
        program.config.write_text(head + source + tail, encoding="utf-8")
        return program

    def install(self):
        self.program.must("outbox-sql", "--apply")

    def execute(self, sql, arguments=()):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            return cursor.fetchall()

    def put(self, entity, word, n="1", connection=None):
        with (connection or self.connection).cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {self.name} VALUES (%s, %s, %s) ON DUPLICATE KEY UPDATE word = %s, n = %s",
                (entity, word, n, word, n),
            )

    def remove(self, entity, connection=None):
        with (connection or self.connection).cursor() as cursor:
            cursor.execute(f"DELETE FROM {self.name} WHERE id = %s", (entity,))

    def write(self, entity, word=None):
        """A change; without a word the row goes."""
        self.remove(entity) if word is None else self.put(entity, word)

    def busy(self):
        def change(cursor, dice, entity):
            if dice.random() < 0.3:
                cursor.execute(f"DELETE FROM {self.name} WHERE id = %s", (entity,))
            else:
                cursor.execute(f"REPLACE INTO {self.name} VALUES (%s, %s, '1')", (entity, f"{dice.random()}"))

        return Busy(lambda: self.database().connect(database="karp"), change)

    def write_some(self, count=20, word="w"):
        for number in range(count):
            self.put(f"e{number}", word)
        self.put("gone", "a")
        self.remove("gone")

    def rows_of_outbox(self):
        return self.execute(f"SELECT * FROM {self.outbox} ORDER BY id")

    def documents(self):
        self.program.fetch("POST", f"/{self.name}/_refresh")
        hits = self.program.fetch("GET", f"/{self.name}/_search?size=10000")["hits"]["hits"]
        return {hit["_id"]: hit["_source"]["word"] for hit in hits}

    def check_equal(self, program=None):
        """The index is the table less the quarantine, and the outbox has what is in quarantine."""
        quarantine = set((program or self.program).quarantine())
        rows = {entity: word for entity, word in self.execute(f"SELECT id, word FROM {self.name}")}
        expected = {entity: word for entity, word in rows.items() if entity not in quarantine}
        found = {entity: word for entity, word in self.documents().items() if entity not in quarantine}
        self.assertEqual(found, expected)
        self.assertEqual({row[1] for row in self.rows_of_outbox()}, quarantine)

    def running(self, program=None):
        return (program or self.program).running()

    def wait_until_equal(self, program=None):
        (program or self.program).wait_until(lambda: self.check_equal(program), "the index being the table")

    def steps(self, *command):
        report = json.loads(self.program.must(*command, "--json").stdout)
        return [step["row"] for step in report["pipelines"][0]["steps"]]


class Changes(OutboxTest):
    def test_a_table_that_was_there_before_is_filled_in_and_then_followed(self):
        self.write_some()
        self.install()
        self.put("e1", "changed")
        self.program.must("sync")
        self.check_equal()
        self.assertEqual(self.program.fetch("GET", f"/{self.name}/_doc/e0")["_version"], 0)
        self.remove("e2")
        self.put("new", "n")
        self.program.must("sync")
        self.check_equal()

    def test_a_thousand_edits_of_a_row_are_one_action(self):
        self.install()
        self.program.must("sync")
        for number in range(1000):
            self.put("e", f"w{number}")
        self.program.must("sync")
        self.check_equal()
        batches = self.program.pawl.json("dump")["pipelines"][0]["batches"]
        self.assertEqual(sum(batch["indexed"] for batch in batches), 1, batches)

    def test_a_key_that_changes_deletes_the_one_and_adds_the_other(self):
        self.install()
        self.put("a", "1")
        self.program.must("sync")
        self.execute(f"UPDATE {self.name} SET id = 'A' WHERE id = 'a'")  # equal in the column's collation
        self.program.must("sync")
        self.check_equal()
        self.assertEqual(self.documents(), {"A": "1"})

    def test_a_late_commit_is_renewed_and_not_lost(self):
        self.install()
        self.program.must("sync")
        late = database.connect(database="karp")
        self.addCleanup(late.close)
        late.begin()
        self.put("late", "1", connection=late)
        self.put("early", "1")
        with self.running():
            self.program.wait_for(lambda: self.documents() == {"early": "1"}, "the early row")
            late.commit()
            self.wait_until_equal()
        self.assertEqual(self.documents(), {"early": "1", "late": "1"})

    def test_what_the_index_rejects_waits_in_the_outbox_and_outlives_the_journal(self):
        self.put("bad", "x", n="no number")
        self.write_some()
        self.install()
        self.program.must("sync")
        self.assertEqual(list(self.program.quarantine()), ["bad"])
        self.check_equal()
        shutil.rmtree(self.program.journal)
        self.program.must("sync")
        self.assertEqual(list(self.program.quarantine()), ["bad"])
        self.put("bad", "x", n="7")
        self.program.must("sync")
        self.assertEqual(self.program.quarantine(), {})
        self.check_equal()

    def test_what_an_operator_gives_up_while_pawl_is_stopped_does_not_come_back(self):
        self.put("bad", "x", n="no number")
        self.write_some()
        self.install()
        self.program.must("sync")
        self.assertEqual(list(self.program.quarantine()), ["bad"])
        self.assertIn("next start will drop 1 entity", self.program.must("quarantine", "drop", "bad").stdout)
        for _ in range(2):
            self.program.must("sync")
            self.assertEqual(self.program.quarantine(), {})
            self.assertEqual(self.rows_of_outbox(), ())

    def test_a_view_that_hides_whole_pages_is_filled_to_its_end(self):
        for number in range(60):
            self.put(f"e{number:02}", "shown" if number in (0, 59) else "hidden")
        self.execute(f"CREATE VIEW {self.name}_view AS SELECT * FROM {self.name} WHERE word = 'shown'")
        self.install()
        text = self.program.config.read_text(encoding="utf-8")
        view = f'entity = "id"\nview = "{self.name}_view"\n'
        text = text.replace('entity = "id"\n', view).replace(LIMITS, LIMITS + "\nbatch_documents = 10")
        self.program.config.write_text(text, encoding="utf-8")
        self.program.must("sync")
        self.assertEqual(self.documents(), {"e00": "shown", "e59": "shown"})

    def test_writers_and_kills(self):
        self.write_some()
        self.install()

        def write(number):
            connection = database.connect(database="karp")
            for edit in range(EDITS):
                connection.begin()
                entity = f"e{(number + edit * 7) % 40}"
                if edit % 5 == 4:
                    self.remove(entity, connection)
                else:
                    self.put(entity, f"{number}/{edit}", connection=connection)
                connection.rollback() if edit % 11 == 10 else connection.commit()
            connection.close()

        writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        while any(writer.is_alive() for writer in writers):
            with self.running() as process:
                before = self.status()["high"] if self.status() else 0
                self.program.wait_for(
                    lambda: (self.status() or {"high": 0})["high"] > before
                    or not any(writer.is_alive() for writer in writers),
                    "something that is read",
                )
                process.kill()
        self.program.must("sync")
        self.check_equal()


if __name__ == "__main__":
    unittest.main()
