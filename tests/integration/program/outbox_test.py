#!/usr/bin/python3
"""Outbox mode on real servers: any table, the triggers that fill its outbox, and what becomes of every change.

    PAWL_BINARY=build/dev/pawl PAWL_SERVER=opensearch-2.19.3 outbox_test.py [Name.test_name]
"""

import json
import os
import pathlib
import shutil
import signal
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from busy import Busy
from mishaps import Moved, Watched
from program import Program, enter_servers

BINARY = os.environ["PAWL_BINARY"]
SERVER = os.environ.get("PAWL_SERVER", "elasticsearch-8.19.7")
LIMITS = "checkpoint_interval = '300ms'\nretry_delay_max = '1s'"
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


class Fill(OutboxTest):
    ROWS = 200

    def fill_rows(self):
        present, dumped = self.status()["fill"], self.dumped()["fill"]
        self.assertEqual(present, dumped)
        return present["rows"]

    def test_killed_in_the_first_fill_it_goes_on_where_it_was(self):
        self.program.edit(LIMITS, f"{LIMITS}\nbatch_documents = 10\nbatches_open = 1")
        for number in range(self.ROWS):
            self.put(f"e{number:03}", "w")
        self.install()
        filled, places = [0], ("after:send_bulk:12", "before:send_bulk:1", "after:send_bulk:6")
        for place in places:
            died = self.program.run("sync", failpoint=place)
            self.assertEqual(died.returncode, -signal.SIGKILL, died.stderr)
            self.assertGreaterEqual(self.fill_rows(), filled[-1])
            filled.append(self.fill_rows())
            self.put("e000", place)
            self.remove(f"e{self.ROWS - len(filled)}")
        self.assertGreaterEqual(filled[1], 100)
        self.assertGreater(filled[3], filled[2])
        changed = 2 * len(places)
        self.program.must("sync")
        self.check_equal()
        self.assertIsNone(self.dumped()["fill"])
        self.assertLessEqual(self.writes_taken(), self.ROWS + 10 * len(places) + changed)

    def test_a_transaction_that_is_open_during_the_whole_fill_wins_when_it_is_committed(self):
        self.write_some()
        self.install()
        late = database.connect(database="karp")
        self.addCleanup(late.close)
        late.begin()
        self.put("e0", "late", connection=late)
        self.put("new", "late", connection=late)
        self.remove("e1", connection=late)
        self.program.must("sync")
        self.assertIsNone(self.dumped()["fill"])
        self.assertEqual(self.documents(), {f"e{number}": "w" for number in range(20)})
        late.commit()
        self.program.must("sync")
        self.check_equal()
        self.assertEqual(self.documents()["e0"], "late")


class Joined(OutboxTest):
    def test_a_document_of_two_tables_follows_changes_of_the_second_one(self):
        sense, view = f"{self.name}_sense", f"{self.name}_view"
        self.execute(f"CREATE TABLE {sense} (id INT PRIMARY KEY, lex VARCHAR(40) CHARACTER SET utf8mb4, gloss VARCHAR(40),"
                     " KEY (lex))")
        self.execute(f"CREATE VIEW {view} AS SELECT id, word, n, (SELECT GROUP_CONCAT(gloss ORDER BY {sense}.id)"
                     f" FROM {sense} WHERE lex = {self.name}.id) AS glosses FROM {self.name}")
        joined = f'entity = "id"\nview = "{view}"\njoined = [{{ table = "{sense}", entity = "lex" }}]\n'
        self.program.edit('entity = "id"\n', joined)
        self.write_some()
        self.install()
        with self.running():
            self.wait_until_equal()
            for change, glosses in (
                (f"INSERT INTO {sense} VALUES (1, 'e0', 'a'), (2, 'e0', 'b')", {"e0": "a,b", "e1": None}),
                (f"UPDATE {sense} SET gloss = 'c' WHERE id = 2", {"e0": "a,c", "e1": None}),
                (f"UPDATE {sense} SET lex = 'e1' WHERE id = 1", {"e0": "c", "e1": "a"}),
                (f"DELETE FROM {sense} WHERE id = 2", {"e0": None, "e1": "a"}),
            ):
                self.execute(change)
                self.program.wait_for(lambda expected=glosses: self.glosses() == expected, change)
            self.wait_until_equal()  # which asks for an empty outbox

    def glosses(self):
        return {entity: self.document(entity)["glosses"] for entity in ("e0", "e1")}


class WhoWritesAndReads(OutboxTest):
    def test_triggers_that_go_with_their_table_stop_the_pipeline(self):
        self.install()
        with self.running() as process:
            self.write_some()
            self.wait_until_equal()
            self.execute(f"CREATE OR REPLACE {TABLE_SQL.format(table=self.name).strip().removeprefix('CREATE ')}")
            self.assertEqual(process.wait(timeout=60), 2)
        self.assertEqual(self.status()["condition"], "REFUSED")
        self.assertIn("are gone since the pipeline began", self.status()["condition_detail"])
        done = self.program.run("sync")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("no trigger of pawl's writes to", done.stderr)
        self.install()
        self.put("new", "n")
        self.program.must("sync")
        self.assertEqual(self.documents()["new"], "n")

    def test_an_application_writes_an_outbox_without_triggers(self):
        self.execute(f"CREATE TABLE {self.outbox} (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, entity"
                     " VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL)")  # fmt: skip
        self.put("a", "w")
        self.assertEqual(self.program.run("check").returncode, 1)
        self.program.edit('entity = "id"\n', 'entity = "id"\nwrites_outbox = "application"\n')
        self.program.must("check")
        self.program.must("sync")
        self.put("a", "changed")
        self.put("b", "unsaid")
        self.execute(f"INSERT INTO {self.outbox} (entity) VALUES ('a')")
        self.program.must("sync")
        self.assertEqual(self.documents(), {"a": "changed"})

    def test_another_table_behind_the_same_outbox_is_refused(self):
        self.program.edit('entity = "id"\n', 'entity = "id"\noutbox = "changes"\n')
        self.install()
        self.put("e0", "w")
        self.program.must("sync")
        self.assertEqual(self.remembered()["entities"], f"{self.name} by {{id}}")
        # As an earlier version has left it: taken up, and said from then on.
        before = self.remembered()
        del before["entities"]
        self.program.fetch("PUT", f"/{self.name}/_mapping", {"_meta": {"pawl": before}})
        self.program.must("sync")
        self.assertEqual(self.remembered()["entities"], f"{self.name} by {{id}}")
        other = f"{self.name}_other"
        self.execute(TABLE_SQL.format(table=other))
        self.execute(f"INSERT INTO {other} VALUES ('x', 'other', '1')")
        self.program.edit(f'table = "{self.name}"', f'table = "{other}"')
        self.program.must("outbox-sql", "--apply")
        for command in ("sync", "verify"):
            done = self.program.run(command)
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn("cannot be compared", done.stderr)
            self.assertIn(f"{self.name} by {{id}}", done.stderr)
        self.assertEqual(self.status()["condition"], "SOURCE_CHANGED")
        self.program.remove_index()
        self.program.must("sync")
        self.assertEqual(self.documents(), {"x": "other"})

    def test_a_second_config_with_another_alias_does_not_work_off_the_same_outbox(self):
        self.install()
        other = self.another("second_alias")
        text = other.config.read_text(encoding="utf-8")
        alias = f'alias = "{self.name}"'
        self.assertIn(alias, text)
        other.config.write_text(text.replace(alias, f'alias = "{self.name}_second"'), encoding="utf-8")
        with self.running():
            self.write_some()
            self.wait_until_equal()
            with self.running(other):
                self.program.wait_for(
                    lambda: (self.status(other) or {}).get("condition") == "STANDBY", "the second one's waiting"
                )
                self.assertIn(f"another alias from the outbox {self.outbox}", self.status(other)["condition_detail"])
                self.put("e0", "changed")
                self.wait_until_equal()
                self.assertEqual(self.status(other)["condition"], "STANDBY")


if __name__ == "__main__":
    unittest.main()
