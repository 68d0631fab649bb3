#!/usr/bin/python3
"""What happened behind pawl's back, how it notices, and what it does (docs/recovery.md), row by row, on real
servers.

    PAWL_BINARY=build/dev/pawl PAWL_SERVER=opensearch-2.19.3 divergence_test.py [Name.test_name]
"""

import json
import os
import pathlib
import shutil
import signal
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from busy import Busy
from mishaps import Leased, Moved, PutBack, Watched
from program import TABLE_SQL, Program, enter_servers
from proxy import Proxy

from lab.servers import MariaDB

BINARY = os.environ["PAWL_BINARY"]
SERVER = os.environ.get("PAWL_SERVER", "elasticsearch-8.19.7")
LIMITS = "checkpoint_interval = '300ms'\nretry_delay_max = '1s'"
TAKEOVER_SECONDS_MAX = 5  # after a death; MariaDB waits as long for one that is silent
ARRIVAL_SECONDS_MAX = TAKEOVER_SECONDS_MAX + 5  # of a document: what was written is to be read, too
SILENCE_SECONDS = 5


def setUpModule():
    global folder, database, index
    folder, database, index = enter_servers(SERVER)


class Divergence(Watched, Moved, unittest.TestCase):
    count = 0

    def setUp(self):
        Divergence.count += 1
        self.name = f"d{Divergence.count}"
        self.connect()
        self.execute(TABLE_SQL.format(table=self.name))
        self.program = self.another("")
        self.versions = {}

    def database(self):
        return database

    def connect(self):
        self.connection = self.database().connect(database="karp")
        self.addCleanup(self.connection.close)

    def another(self, suffix):
        """A pawl for the same table and alias, with a config and a journal of its own."""
        place = folder / suffix if suffix else folder
        return Program(BINARY, place, self.name, self.database(), index, table=self.name, limits=LIMITS)

    def execute(self, sql, arguments=()):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            return cursor.fetchall()

    def write(self, entity, word=None):
        """Another version of the entity; without a word it is deleted. Returns the revision."""
        self.versions[entity] = self.versions.get(entity, 0) + 1
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {self.name} (entity_id, version, body, discarded) VALUES (%s, %s, %s, %s)",
                (entity, self.versions[entity], json.dumps({"word": word}), word is None),
            )
            return cursor.lastrowid

    def busy(self):
        """Writers of entities of their own."""

        def change(cursor, dice, entity):
            self.versions[entity] = self.versions.get(entity, 0) + 1
            cursor.execute(
                f"INSERT INTO {self.name} (entity_id, version, body, discarded) VALUES (%s, %s, %s, %s)",
                (entity, self.versions[entity], json.dumps({"word": f"w{dice.random()}"}), dice.random() < 0.3),
            )

        return Busy(lambda: self.database().connect(database="karp"), change)

    def write_some(self, count=20, word="w"):
        for number in range(count):
            self.write(f"e{number}", word)
        self.write("gone", "a")
        self.write("gone")

    def running(self, program=None):
        return (program or self.program).running()

    def wait_until_equal(self, program=None):
        (program or self.program).wait_until_equal(self.connection)

    def rows_of_start(self):
        report = json.loads(self.program.must("recover", "--json").stdout)
        return [step["row"] for step in report["pipelines"][0]["steps"]]

    def count_documents(self):
        self.program.fetch("POST", f"/{self.name}/_refresh")
        return self.program.fetch("GET", f"/{self.name}/_count")["count"]

    def refuses(self, code, *words):
        done = self.program.run("sync")
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)


class Journal(Divergence):
    def test_a_lost_journal_is_no_loss(self):
        self.write_some()
        self.program.must("sync")
        shutil.rmtree(self.program.journal)
        self.write("e0", "changed")
        self.write("e1")
        self.assertEqual(self.rows_of_start(), ["R03"])
        self.assertGreater(self.status()["watermark"], 0)  # not from the beginning
        self.program.must("sync")
        self.program.check_equal(self.connection)
        self.assertEqual(self.labels(), ["R03"])

    def test_what_was_in_quarantine_is_so_again_when_the_journal_is_lost(self):
        self.write("bad", "w" * 40_000)
        self.write_some()
        self.program.must("sync")
        self.assertEqual(len(self.program.quarantine()), 1)
        self.assertEqual(self.remembered()["owed"], [1])
        shutil.rmtree(self.program.journal)
        self.program.must("sync")
        self.assertIn("bad", self.program.quarantine())
        self.program.check_equal(self.connection)


class IndexOfAnyMode:
    """Tests of both modes."""

    def test_an_index_that_the_full_disk_has_blocked_is_waited_for_and_told(self):
        self.write_some()
        with self.running():
            self.wait_until_equal()
            # What the server sets by itself above the flood stage of the disk's watermarks.
            block = {"index.blocks.read_only_allow_delete": True}
            self.program.fetch("PUT", f"/{self.index_name()}/_settings", block)
            self.write("e0", "changed")
            self.write("e1")
            self.program.wait_for(lambda: "block" in self.status()["condition_detail"], "saying what is in the way")
            self.assertEqual(self.status()["condition"], "RETRYING")
            self.program.fetch("PUT", f"/{self.index_name()}/_settings", dict.fromkeys(block))
            self.wait_until_equal()
        self.assertEqual(self.labels(), [])

    def test_what_a_newer_pawl_has_written_is_refused(self):
        self.write_some()
        self.program.must("sync")
        self.put_meta({"pawl": {"format": 9}})
        done = self.program.run("sync")
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("format 9", done.stderr)
        self.assertIn("upgrade", done.stderr)


class Index(IndexOfAnyMode, Divergence):
    def test_an_index_that_is_deleted_while_it_is_fed_is_made_anew(self):
        self.write_some()
        with self.running():
            self.wait_until_equal()
            self.program.fetch("DELETE", f"/{self.index_name()}")
            self.write("e0", "changed")
            self.wait_until_equal()
        # R06: its lease or a request was lost when it had made the index, and had not noted that yet.
        self.assertIn(self.labels(), (["R05"], ["R06"]))

    def test_an_alias_that_moves_to_an_empty_index_and_back_while_writers_go_on(self):
        self.write_some()
        with self.running():
            self.wait_until_equal()
            with self.busy() as writers:
                self.wait_for_rows(writers)
                before = self.move_alias(self.make_index("new"))
                self.notices("R06")
                self.wait_for_rows(writers)
                self.assertEqual(self.move_alias(before), f"{self.name}-new")
                self.notices("R06", "R10")
                self.wait_for_rows(writers)
            self.wait_until_equal()
        self.assertEqual(self.labels(), ["R06", "R10"])
        self.assertEqual(self.remembered()["pipeline"], "lex")

    def wait_for_rows(self, writers):
        """Until pawl has read what was not yet written at the call."""
        [[end]] = self.execute(f"SELECT MAX(history_id) FROM {self.name}")
        self.program.wait_for(lambda: self.status()["high"] > end + 20, "reading on")
        self.assertTrue(writers.alive())

    def test_an_alias_that_moves_back_to_an_older_index_is_noticed_without_any_write(self):
        self.write_some()
        self.program.must("sync")
        told = self.remembered()["revision"]
        before = self.move_alias(self.make_index("new"))
        self.write("e0", "changed")
        self.write("e1")
        self.program.must("sync")
        with self.running():
            self.move_alias(before)
            self.notices("R06", "R10")
            self.wait_until_equal()
        self.assertGreater(self.remembered()["revision"], told)

    def test_an_index_restored_from_a_snapshot_is_rolled_forward_from_what_it_remembers(self):
        self.write_some()
        self.program.must("sync")
        self.take_snapshot()
        self.write("e0", "after the snapshot")
        self.write("e1")
        self.write("gone", "again")
        with self.running():
            self.wait_until_equal()
            self.program.wait_for(lambda: self.remembered()["revision"] == self.status()["high"], "a checkpoint")
            self.restore_snapshot()
            self.notices("R10")
            self.wait_until_equal()

    def test_a_snapshot_from_before_the_last_rows_is_noticed_though_the_index_was_told_nothing_since(self):
        self.program.edit("checkpoint_interval = '300ms'", "checkpoint_interval = '1h'")
        self.write_some()
        with self.running() as killed:
            self.wait_until_equal()
            self.take_snapshot()
            self.write("e0", "after the snapshot")
            self.write("e1")
            self.wait_until_equal()
            killed.kill()
        self.restore_snapshot()
        self.assertEqual(self.rows_of_start(), ["R10"])
        self.program.must("sync")
        self.program.check_equal(self.connection)

    def make_index_of_the_backend(self):
        """With a document that it shares with the history, and three that the history does not know."""
        self.make_index("own", aliases=[self.name])
        revision = self.write("e0", "old")
        for entity, version in (("e0", revision), ("nobody0", 3), ("nobody1", 1), ("nobody2", 1_000_000)):
            self.program.fetch("PUT", f"/{self.name}/_doc/{entity}?version={version}&version_type=external",
                               {"word": "by the backend"})
        self.write_some()

    def last_verification(self):
        return (self.status() or {}).get("last_verification")

    def knows_what_the_history_does_not(self):
        self.program.wait_for(self.last_verification, "what was adopted being verified")
        found = self.last_verification()
        self.assertEqual((found["entities"], found["documents"], found["counts"]["surplus"]), (20, 23, 3))
        self.assertEqual(found["index"], f"{self.name}-own")

    def test_an_index_that_the_backend_made_is_gone_over_and_what_is_not_of_the_history_is_counted(self):
        self.make_index_of_the_backend()
        self.assertIn("adopted and verified", self.program.must("sync").stderr)
        self.assertEqual(self.remembered()["revision"], self.status()["watermark"])
        self.knows_what_the_history_does_not()
        self.assertNotIn("adopted", self.program.must("sync").stderr)  # once
        self.program.must("verify", "--repair")
        self.program.check_equal(self.connection)

    def test_a_daemon_counts_them_without_being_asked_to_verify_also_after_a_crash(self):
        self.make_index_of_the_backend()
        died = self.program.run("run", failpoint="before:send_bulk:1")
        self.assertEqual(died.returncode, -signal.SIGKILL, died.stderr)
        with self.running() as process:
            self.knows_what_the_history_does_not()
            self.write("e1", "goes on")
            process.terminate()
        self.assertIn("adopted and verified", self.program.pawl.log.read_text(encoding="utf-8"))
        self.assertEqual(self.program.run("verify", "--repair").returncode, 0)

    def test_an_index_that_is_adopted_with_nothing_else_in_it_is_equal(self):
        self.make_index("own", aliases=[self.name])
        self.write_some()
        self.program.must("sync")
        self.program.check_equal(self.connection)
        self.assertTrue(self.last_verification()["equal"])

    def test_a_version_that_is_nobodys_is_not_swallowed(self):
        self.write_some()
        self.program.must("sync")
        self.program.fetch(
            "PUT", f"/{self.name}/_doc/e0?version=1000000&version_type=external", {"word": "by somebody else"})
        self.write("e0", "changed")
        self.write("e1", "changed")
        done = self.program.must("sync")
        self.assertIn("1000000", done.stderr)
        self.assertEqual(self.program.quarantine(), {"e0": "foreign_version"})

    def test_what_somebody_puts_over_what_the_index_remembers_is_noticed_and_told_anew(self):
        self.write_some()
        with self.running():
            self.wait_until_equal()
            self.program.wait_for(lambda: self.remembered()["revision"] == self.status()["high"], "a checkpoint")
            told = self.remembered()
            self.put_meta({"pawl": told | {"revision": told["revision"] - 5}})
            self.notices("R11")
            self.write("e0", "later")
            self.program.wait_for(lambda: self.remembered()["revision"] == told["revision"] + 1, "a checkpoint")
            self.put_meta({})
            self.notices("R11", "R12")
            self.write("e1", "later")
            self.wait_until_equal()
        self.assertEqual(self.remembered()["revision"], told["revision"] + 2)


class Source(Divergence):
    def test_a_truncated_table_stops_the_pipeline_and_nothing_is_sent(self):
        self.write_some()
        self.program.must("sync")
        documents = self.count_documents()
        self.execute(f"TRUNCATE TABLE {self.name}")
        self.write("e0", "after")
        self.refuses(4, "is gone", "start pawl again")
        self.shows("SOURCE_REGRESSED", "is gone")
        self.assertEqual(self.labels(), ["R15"])
        self.assertEqual(self.count_documents(), documents)
        self.refuses(4, "start pawl again")  # and so it stays

    def test_a_table_that_is_truncated_beside_a_running_pawl_ends_it_and_nothing_is_sent(self):
        self.write_some()
        with self.running() as process:
            self.wait_until_equal()
            sent = self.writes_taken()
            self.execute(f"TRUNCATE TABLE {self.name}")
            self.write("e0", "after")
            self.ends(process, "SOURCE_REGRESSED")
        self.assertEqual(self.labels(), ["R15"])
        self.assertEqual(self.writes_taken(), sent)

    def test_a_column_that_is_added_beside_a_running_pawl_is_noticed_and_stops_nothing(self):
        self.program.edit('body = "body"\nfields = { "_entry_version" = "version" }\n', "")  # a field for each column
        self.write_some()
        with self.running():
            self.program.wait_for(lambda: self.document("e19"), "the documents")
            self.execute(f"ALTER TABLE {self.name} ADD COLUMN place VARCHAR(20) DEFAULT 'here'")
            self.write("e1", "beside")
            self.program.wait_for(lambda: self.document("e1")["version"] == 2, "what was written after it")
            self.notices("shape")
            self.write("e2", "after")
            self.program.wait_for(lambda: self.document("e2")["version"] == 2, "what was written after that")
        self.assertEqual(self.document("e2")["place"], "here")
        self.assertNotIn("place", self.document("e0"))
        self.program.must("verify", "--repair", "--content")
        self.assertEqual([self.document(f"e{number}")["place"] for number in range(20)], ["here"] * 20)

    def test_a_revision_above_the_historys_end_that_the_index_claims_to_have_stops_the_pipeline(self):
        self.write_some()
        self.program.must("sync")
        claimed = self.remembered()
        self.put_meta({"pawl": claimed | {"revision": claimed["revision"] + 1000}})
        self.write("e0", "after")
        sent, high = self.writes_taken(), self.status()["high"]
        self.refuses(4, f"ends at revision {high + 1}, but rows up to {high + 1000}")
        self.shows("SOURCE_REGRESSED")
        self.assertEqual(self.labels(), ["R15"])
        shutil.rmtree(self.program.journal)
        self.refuses(4, f"ends at revision {high + 1}, but rows up to {high + 1000}")
        self.shows("SOURCE_REGRESSED")
        self.assertEqual(self.labels(), ["R14"])
        self.assertEqual(self.writes_taken(), sent)

    def test_a_table_restored_from_a_copy_stops_the_pipeline_and_a_rebuild_goes_on_from_it(self):
        self.write_some()
        self.program.must("sync")
        # As a dump does it: the table is made anew, with its rows and its counter as they were.
        self.execute(f"CREATE TABLE copy_of_{self.name} LIKE {self.name}")
        self.execute(f"INSERT INTO copy_of_{self.name} SELECT * FROM {self.name}")
        self.write("e0", "lost")
        self.write("e1", "lost too")
        self.program.must("sync")
        self.execute(f"DROP TABLE {self.name}")
        self.execute(f"RENAME TABLE copy_of_{self.name} TO {self.name}")
        self.write("e2", "after")  # gets a revision that the index knows as another one's
        self.refuses(4, "pawl rebuild")
        self.shows("SOURCE_REGRESSED")
        self.program.must("rebuild")
        self.program.must("sync")
        self.program.check_equal(self.connection)

    def test_a_database_restored_to_an_earlier_moment_is_noticed_while_pawl_runs(self):
        self.write_some()
        with self.running():
            self.wait_until_equal()
            last = self.status()["high"]
            self.execute(f"DELETE FROM {self.name} WHERE history_id > %s", (last - 3,))
            self.execute(f"ALTER TABLE {self.name} AUTO_INCREMENT = {last - 2}")
            for number in range(5):
                self.write(f"new{number}", "reissued")
            self.wait_for_condition("SOURCE_REGRESSED")
        self.shows("SOURCE_REGRESSED", f"revision {last}")

    def test_another_table_is_refused_by_what_the_index_remembers(self):
        self.write_some()
        self.program.must("sync")
        shutil.rmtree(self.program.journal)
        self.execute(TABLE_SQL.format(table=f"{self.name}_other"))
        self.program.edit(f'table = "{self.name}"', f'table = "{self.name}_other"')
        self.refuses(4, "cannot be compared")

    def test_another_document_shape_is_said_once_and_is_no_other_history(self):
        self.write_some()
        self.program.must("sync")
        self.program.edit('"version"', '"history_id"')
        done = self.program.must("sync")
        self.assertIn("shape has changed", done.stderr)
        self.assertNotIn("shape has changed", self.program.must("sync").stderr)
        self.assertEqual(self.labels(), ["shape"])


class Restored(PutBack, Divergence):

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(MariaDB(folder / f"{cls.__name__.lower()}-db"))
        cls.server.execute("CREATE DATABASE karp")

    def database(self):
        return self.server

    def setUp(self):
        super().setUp()
        self.backup = folder / f"{self.name}-backup"

    def lose_some(self):
        """What the backup does not have: pawl has sent it."""
        for number in range(5):
            self.write(f"e{number}", "lost")
        self.write("lost", "altogether")
        self.write("e7")

    def go_on(self):
        """The backend's next rows get the lost ones' revisions, and more."""
        self.versions.clear()
        first = self.write("after0", "reissued")
        for number in range(1, 12):
            self.write(f"after{number}", "reissued")
        return first

    def regresses(self, restore):
        self.write_some()
        self.program.must("sync")
        self.dump() if restore == self.restore_dump else self.copy_files()
        kept, before = self.status()["high"], self.writes_taken()
        self.lose_some()
        self.program.must("sync")
        sent, high = self.writes_taken(), self.status()["high"]
        self.assertGreater(sent, before)
        restore()
        self.assertEqual(self.execute(f"SELECT MAX(history_id) FROM {self.name}"), ((kept,),))
        self.refuses(4, f"revision {high}", "pawl rebuild")  # before anybody has written
        self.assertEqual(self.go_on(), kept + 1)
        self.refuses(4, f"revision {high}", "pawl rebuild")
        self.shows("SOURCE_REGRESSED", f"revision {high}")
        self.refuses_without_its_journal()
        self.assertEqual(self.writes_taken(), sent)
        self.program.must("rebuild")
        self.program.must("sync")
        self.program.check_equal(self.connection)
        self.assertEqual(self.status()["condition"], "RUNNING")

    def refuses_without_its_journal(self):
        """What the index remembers is enough."""
        kept = self.program.journal.rename(self.program.folder / "kept")
        self.refuses(4, "pawl rebuild")
        self.shows("SOURCE_REGRESSED")
        self.assertEqual(self.labels(), ["R14"])
        shutil.rmtree(self.program.journal)
        kept.rename(self.program.journal)

    def test_a_dump_that_is_played_back_stops_the_pipeline_and_nothing_is_sent(self):
        self.regresses(self.restore_dump)

    def test_files_that_are_copied_back_stop_the_pipeline_and_nothing_is_sent(self):
        self.regresses(self.restore_files)

    def test_a_history_that_went_back_is_noticed_also_when_its_columns_have_changed(self):
        self.write_some()
        self.program.must("sync")
        kept = self.status()["high"]
        self.lose_some()
        self.program.must("sync")
        high = self.status()["high"]
        self.execute(f"DELETE FROM {self.name} WHERE history_id > {kept}")
        self.execute(f"ALTER TABLE {self.name} MODIFY discarded INT, AUTO_INCREMENT = {kept + 1}")
        self.assertEqual(self.go_on(), kept + 1)
        self.refuses(4, f"revision {high} is another one", "pawl rebuild")
        self.shows("SOURCE_REGRESSED", f"revision {high}")

    def test_a_restore_beside_a_running_pawl_ends_it_with_exit_code_4(self):
        high = self.ends_when_put_back(self.go_on)
        self.shows("SOURCE_REGRESSED", f"revision {high}")

    def test_a_restore_that_loses_nothing_is_gone_on_with(self):
        self.write_some()
        for back_up, restore in ((self.dump, self.restore_dump), (self.copy_files, self.restore_files)):
            with self.subTest(back_up.__name__):
                self.program.must("sync")
                shutil.rmtree(self.backup, ignore_errors=True)
                self.backup.unlink(missing_ok=True)
                back_up()
                restore()
                self.write("e0", back_up.__name__)
                self.program.must("sync")
                self.program.check_equal(self.connection)
        self.assertEqual(self.labels(), [])


class TakingOver(Leased):
    """Two pawls on one pipeline, in either mode: `another(suffix)` makes one, `write(entity, word)` a change."""

    def setUp(self):
        super().setUp()
        (self.program.folder.parent / f"{self.name}-other").mkdir()
        self.other = self.another(f"{self.name}-other")

    def arrives(self, entity, word, since):
        """In the index, in time."""
        self.program.wait_for(lambda: (self.document(entity) or {}).get("word") == word, f"{entity} in the index")
        self.assertLess(time.monotonic() - since, ARRIVAL_SECONDS_MAX)

    def test_a_second_pawl_waits_and_takes_over_from_what_the_index_remembers(self):
        self.write_some()
        with self.running() as first:
            self.wait_until_equal()
            with self.running(self.other):
                self.wait_for_condition("STANDBY", self.other)
                self.assertIn("another pawl", self.status(self.other)["condition_detail"])
                self.write("e0", "by the first")
                self.wait_until_equal()
                first.kill()
                died = time.monotonic()
                self.write("e1", "by the second")
                self.write("e2")
                self.wait_for_condition("RUNNING", self.other)
                self.assertLess(time.monotonic() - died, TAKEOVER_SECONDS_MAX)
                self.arrives("e1", "by the second", died)
                self.wait_until_equal(self.other)
                self.assertEqual(self.labels(self.other), ["R03"])

    def test_whose_lease_another_one_has_sends_nothing_until_it_has_it_again(self):
        self.watch_leases()
        self.write_some()
        with self.running():
            self.wait_until_equal()
            give_back = self.take_lease()
            self.wait_for_condition("STANDBY")
            sent = self.writes_taken()
            self.write("e0", "while another one has it")
            self.write("e1")
            self.wait_for_asks("GET_LOCK", 2)  # a second later; it reads every 50 ms
            self.assertEqual((self.writes_taken(), self.document("e0")["word"]), (sent, "w"))
            self.shows("STANDBY", "another pawl")
            since = time.monotonic()
            give_back()
            self.arrives("e0", "while another one has it", since)
            self.wait_until_equal()


class Standby(TakingOver, Divergence):
    def test_a_stopped_pawl_loses_its_lease_and_sends_nothing_when_it_wakes_up(self):
        bulks = []

        def count(_, path, forward):
            if "_bulk" in path:
                bulks.append(path)
            return forward()

        self.write_some()
        with Proxy(self.program.index.port, count) as proxy:
            self.program.edit(self.program.index.url, proxy.url)
            with self.running() as zombie:
                self.wait_until_equal()
                self.assertGreater(len(bulks), 0)
                with self.running(self.other):
                    self.wait_for_condition("STANDBY", self.other)
                    zombie.send_signal(signal.SIGSTOP)
                    stopped = time.monotonic()
                    self.write("e0", "by the second")  # the stopped one would send them as soon as it wakes up
                    self.write("e1")
                    self.wait_for_condition("RUNNING", self.other, SILENCE_SECONDS + TAKEOVER_SECONDS_MAX)
                    self.arrives("e0", "by the second", stopped + SILENCE_SECONDS)
                    self.wait_until_equal(self.other)
                    sent = len(bulks)
                    zombie.send_signal(signal.SIGCONT)
                    self.wait_for_condition("STANDBY")
                    self.write("e2", "by the second")
                    self.wait_until_equal(self.other)
                    self.assertEqual(len(bulks), sent)

    def test_a_command_says_who_keeps_the_index_up_to_date(self):
        self.write_some()
        with self.running():
            self.wait_until_equal()
            done = self.other.run("sync")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("another pawl", done.stderr)

    def test_whose_connections_are_cut_goes_on_when_it_has_its_lease_again(self):
        self.write_some()
        with self.running():
            self.wait_until_equal()
            for (connection,) in self.execute(
                "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = 'karp' AND ID <> CONNECTION_ID()"
            ):
                self.execute(f"KILL CONNECTION {connection}")
            self.write("e0", "after the cut")
            self.wait_until_equal()


class Spread(Divergence):
    """Three pipelines over pawls that feed two of them each."""

    NAMES = ("lex", "lex2", "lex3")

    def spread(self, program):
        text = program.config.read_text(encoding="utf-8")
        begin = text.index("[[pipeline]]")
        blocks = [text[begin:]]
        for number in (2, 3):
            block = text[begin:].replace('name = "lex"', f'name = "lex{number}"')
            blocks.append(block.replace(f'"{self.name}"', f'"{self.name}_{number}"'))
        head = text[:begin] + "[lease]\npipelines_max = 2\n\n"
        program.config.write_text(head + "\n".join(blocks), encoding="utf-8")
        return program

    def fed_by(self, program):
        conditions = {name: (program.pawl.status(name) or {}).get("condition") for name in self.NAMES}
        return {name for name, condition in conditions.items() if condition == "RUNNING"}

    def test_pipelines_spread_over_pawls_and_move_when_one_dies(self):
        for number in (2, 3):
            self.execute(TABLE_SQL.format(table=f"{self.name}_{number}"))
        pawls = []
        for suffix in ("one", "two", "three"):
            place = f"{self.name}-{suffix}"
            (folder / place).mkdir()
            pawls.append(self.spread(self.another(place)))
        one, two, three = pawls
        with self.running(one) as first, self.running(two):
            one.wait_for(lambda: self.fed_by(one) | self.fed_by(two) == set(self.NAMES), "all being fed")
            one.wait_for(lambda: len(self.fed_by(one)) == 2 or len(self.fed_by(two)) == 2, "one of them being full")
            self.assertEqual(self.fed_by(one) & self.fed_by(two), set())
            first.kill()
            died = time.monotonic()
            first.wait()
            two.wait_for(lambda: len(self.fed_by(two)) == 2, "taking over as many as there is room for")
            self.assertLess(time.monotonic() - died, TAKEOVER_SECONDS_MAX)
            [left] = set(self.NAMES) - self.fed_by(two)
            two.wait_for(
                lambda: "nobody feeds this pipeline" in two.pawl.status(left)["condition_detail"], "saying that"
            )
            with self.running(three):
                three.wait_for(lambda: self.fed_by(three) == {left}, "the third one's taking the rest")


if __name__ == "__main__":
    unittest.main()
