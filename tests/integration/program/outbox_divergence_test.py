#!/usr/bin/python3
"""What happened behind pawl's back in outbox mode, how it notices, and what it does (docs/recovery.md), on real servers.

    PAWL_BINARY=build/dev/pawl PAWL_SERVER=opensearch-2.19.3 outbox_divergence_test.py [Name.test_name]
"""

import pathlib
import shutil
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import divergence_test
import outbox_test
from mishaps import PutBack

from lab.servers import MariaDB

setUpModule = outbox_test.setUpModule
LOST = 3  # ids that the outbox hands out for lose_some


class Divergence(outbox_test.OutboxTest):
    def setUp(self):
        super().setUp()
        self.install()

    def refuses(self, condition, label, *words):
        """Nothing reaches the index, and nothing leaves the outbox."""
        sent, waiting = self.writes_taken(), self.rows_of_outbox()
        done = self.program.run("sync")
        self.assertEqual(done.returncode, 4, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertIn(f"{label} start", done.stderr)
        self.shows(condition)
        self.assertEqual((self.writes_taken(), self.rows_of_outbox()), (sent, waiting))

    def is_healed_by_a_rebuild(self):
        self.program.must("rebuild")
        self.write("e3", "after the rebuild")
        self.program.must("sync")
        self.check_equal()
        self.shows("RUNNING")

    def put_index_back(self):
        """To a snapshot that lacks what was deleted from the outbox since."""
        self.write_some()
        self.program.must("sync")
        self.take_snapshot()
        self.write("e0", "after the snapshot")
        self.write("e1")
        self.program.must("sync")
        self.restore_snapshot()


class Journal(Divergence):
    def test_whoever_fed_the_index_last_goes_on_and_another_one_takes_it_up(self):
        self.write_some()
        self.program.must("sync")
        for word in ("b", "c"):
            self.write_some(word=word)
            self.assertIn("R07", self.program.must("sync").stderr)
        other = self.another("other")
        self.put("e1", "d")
        other.must("sync")
        self.put("e2", "e")
        self.assertIn("R13", self.program.must("sync").stderr)
        self.check_equal()
        self.assertEqual(self.labels(), ["R13"])

    def test_a_lost_journal_is_no_loss(self):
        self.write_some()
        self.program.must("sync")
        shutil.rmtree(self.program.journal)
        self.put("e0", "changed")
        self.assertEqual(self.steps("recover"), ["R03"])
        self.program.must("sync")
        self.check_equal()

    def test_what_an_index_lacks_that_was_restored_when_the_journal_was_lost_is_found_and_healed(self):
        self.put_index_back()
        shutil.rmtree(self.program.journal)
        self.assertEqual(self.steps("recover"), ["R03"])  # nobody can see it, as docs/operations.md says
        self.assertEqual(self.documents()["e0"], "w")
        self.assertEqual(self.program.run("verify").returncode, 1)
        self.program.must("verify", "--repair")
        self.check_equal()


class Index(divergence_test.IndexOfAnyMode, Divergence):
    def test_an_index_that_is_deleted_is_filled_anew(self):
        self.write_some()
        with self.running():
            self.wait_until_equal()
            self.program.remove_index()
            self.put("e0", "changed")
            self.wait_until_equal()
        self.assertEqual(self.labels(), ["R05"])

    def test_an_index_restored_from_a_snapshot_while_pawl_is_stopped_is_not_fed(self):
        self.put_index_back()
        self.write("e2", "waits in the outbox")
        self.refuses("REFILL_NEEDED", "R18", "pawl rebuild")

    def test_an_index_restored_from_a_snapshot_ends_a_running_pawl(self):
        self.write_some()
        with self.running() as process:
            self.wait_until_equal()
            self.program.wait_for(lambda: self.remembered()["revision"] == self.status()["watermark"], "a checkpoint")
            self.take_snapshot()
            self.write("e0", "after the snapshot")
            self.write("e1")
            self.wait_until_equal()
            # One that is on its way would be taken back, and the restored index remember nothing: R17.
            self.program.wait_for(lambda: self.remembered()["revision"] == self.status()["watermark"], "a checkpoint")
            self.restore_snapshot()
            self.ends(process, "REFILL_NEEDED")
        self.assertEqual(self.documents()["e0"], "w")
        self.write("e2", "waits in the outbox")
        self.refuses("REFILL_NEEDED", "R18", "pawl rebuild")
        self.is_healed_by_a_rebuild()

    def test_a_snapshot_that_lacks_nothing_is_gone_on_with(self):
        self.write_some()
        self.program.must("sync")
        self.take_snapshot()
        self.restore_snapshot()
        self.write("e0", "after the restore")
        self.program.must("sync")
        self.check_equal()
        self.assertEqual(self.labels(), ["R10"])

    def test_an_alias_that_moves_to_an_index_of_somebody_else_while_writers_go_on_ends_a_running_pawl(self):
        self.write_some()
        with self.running() as process:
            self.wait_until_equal()
            with self.busy() as writers:
                high = self.status()["high"]
                self.program.wait_for(lambda: self.status()["high"] > high, "reading on")
                other = self.make_index("other")
                self.program.fetch("PUT", f"/{other}/_doc/theirs?refresh=true", {"word": "from elsewhere"})
                self.move_alias(other)
                self.ends(process, "REFILL_NEEDED")
                self.assertTrue(writers.alive())
        self.refuses("REFILL_NEEDED", "R17", "pawl rebuild")
        self.is_healed_by_a_rebuild()

    def test_an_alias_that_moves_to_an_empty_index_and_back_to_what_is_older_ends_a_running_pawl(self):
        self.write_some()
        with self.running() as process:
            self.wait_until_equal()
            before = self.move_alias(self.make_index("new"))
            self.notices("R05")
            self.write("e0", "in the new one")
            self.write("e1")
            self.wait_until_equal()
            self.move_alias(before)
            self.ends(process, "REFILL_NEEDED")
        self.assertEqual(self.documents()["e0"], "w")
        self.refuses("REFILL_NEEDED", "R18", "pawl rebuild")

    def test_another_index_behind_the_alias_stops_the_pipeline_until_it_is_deleted(self):
        self.write_some()
        self.program.must("sync")
        other = self.make_index("other")
        self.program.fetch("PUT", f"/{other}/_doc/e0?refresh=true", {"word": "from elsewhere"})
        self.move_alias(other)
        self.refuses("REFILL_NEEDED", "R17", "pawl rebuild fills a new index")
        self.program.remove_index()
        self.program.must("sync")
        self.check_equal()

    def test_an_index_that_the_backend_made_is_not_fed_without_a_journal_either(self):
        own = self.make_index("own", aliases=[self.name])
        self.program.fetch("PUT", f"/{own}/_doc/e0?refresh=true", {"word": "from elsewhere"})
        self.write_some()
        self.refuses("REFILL_NEEDED", "R17", "pawl rebuild")
        self.assertEqual(self.documents(), {"e0": "from elsewhere"})

    def test_a_version_that_is_nobodys_is_not_swallowed_and_one_that_may_be_a_rows_is_beaten(self):
        self.write_some()
        self.program.must("sync")
        ((counter,),) = self.execute(
            "SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_NAME = %s AND TABLE_SCHEMA = DATABASE()",
            (self.outbox,),
        )
        for entity, version in (("e0", counter + 1_000_000), ("e1", counter + 10)):
            somebody = {"word": "by somebody else"}
            self.program.fetch("PUT", f"/{self.name}/_doc/{entity}?version={version}&version_type=external", somebody)
        self.write("e0", "changed")
        self.write("e1", "changed")
        for number in range(20):  # ids above the one that somebody has given to e1
            self.write(f"other{number}", "w")
        self.program.run("sync")
        self.assertEqual(self.program.quarantine(), {"e0": "foreign_version"})
        self.assertEqual(self.documents()["e1"], "changed")

    def test_what_somebody_puts_over_what_the_index_remembers_is_noticed_and_told_anew(self):
        self.write_some()
        with self.running():
            self.wait_until_equal()
            self.program.wait_for(lambda: self.remembered()["revision"] == self.status()["watermark"], "a checkpoint")
            told = self.remembered()
            self.put_meta({"pawl": told | {"revision": told["revision"] - 5}})
            self.notices("R13")
            self.write("e0", "later")
            self.program.wait_for(lambda: self.remembered()["revision"] > told["revision"], "a checkpoint")

            def is_noticed():  # a checkpoint of pawl's that is on its way may put it back unseen
                self.put_meta({})
                return len(self.status()["incidents"]) > 1

            self.program.wait_for(is_noticed, "a second incident")
            self.write("e1", "later")
            self.wait_until_equal()
        self.assertEqual(set(self.labels()), {"R13"})

    def test_an_empty_index_behind_the_alias_is_filled(self):
        self.write_some()
        self.program.must("sync")
        self.move_alias(self.make_index("new"))
        self.program.must("sync")
        self.check_equal()


class Source(Divergence):
    def test_an_outbox_that_is_truncated_by_hand_stops_the_pipeline(self):
        self.write_some()
        self.program.must("sync")
        self.execute(f"TRUNCATE {self.outbox}")
        self.put("e0", "changed")
        self.refuses("SOURCE_REGRESSED", "R15", "pawl rebuild")
        self.assertEqual(self.documents()["e0"], "w")

    def test_a_pipeline_that_is_made_one_with_a_history_is_refused_and_so_is_the_other_way_round(self):
        self.execute(f"CREATE TABLE h_{self.name} (revision BIGINT AUTO_INCREMENT PRIMARY KEY, id VARCHAR(40) NOT NULL,"
                     " word VARCHAR(200), n VARCHAR(20), KEY (id))")
        self.execute(f"INSERT INTO h_{self.name} (id, word, n) VALUES ('a', 'of the history', '1')")
        self.write("e0", "of the table")
        outbox = f'mode = "outbox"\ntable = "{self.name}"\nentity = "id"\n'
        history = f'table = "h_{self.name}"\nrevision = "revision"\nentity = "id"\n'
        self.program.must("sync")
        self.program.edit(outbox, history)
        self.refuses("SOURCE_CHANGED", "R04", "cannot be compared")
        self.assertEqual(self.documents(), {"e0": "of the table"})
        self.program.must("rebuild")
        self.program.must("sync")
        self.assertEqual(self.documents(), {"a": "of the history"})
        self.program.edit(history, outbox)
        self.refuses("SOURCE_CHANGED", "R04", "cannot be compared")
        self.program.edit(outbox, history)
        self.execute(f"INSERT INTO h_{self.name} (id, word, n) VALUES ('b', 'later', '1')")
        self.program.must("sync")  # as it was
        self.assertEqual(self.documents(), {"a": "of the history", "b": "later"})
        self.shows("RUNNING")


class Restored(PutBack, Divergence):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(MariaDB(outbox_test.folder / f"outbox-{cls.__name__.lower()}-db"))
        cls.server.execute("CREATE DATABASE karp")

    def database(self):
        return self.server

    def setUp(self):
        super().setUp()
        self.backup = outbox_test.folder / f"{self.name}-backup"

    def lose_some(self):
        """What the backup does not have: pawl has sent it."""
        for number in range(LOST - 2):
            self.write(f"e{number}", "lost")
        self.write("lost", "altogether")
        self.write("e7")

    def go_on(self, count):
        for number in range(count):
            self.write(f"after{number}", "gets an id that was lost")

    def regresses(self, back_up, restore):
        self.write_some()
        self.program.must("sync")
        back_up()
        self.lose_some()
        self.program.must("sync")
        read = self.status()["high"]
        restore()
        told = f"rows up to {read} have been read"
        for _ in range(LOST + 1):  # before anybody has written; and asking does not bring the counter nearer
            self.refuses("SOURCE_REGRESSED", "R15", told, "pawl rebuild")
        self.go_on(LOST // 2)
        self.refuses("SOURCE_REGRESSED", "R15", told, "pawl rebuild")
        self.assertEqual(self.labels(), ["R15"])
        journal = self.program.journal.rename(self.program.folder / "kept")
        self.refuses("SOURCE_REGRESSED", "R14", "pawl rebuild")  # by what the index remembers
        self.assertEqual(self.labels(), ["R14"])
        shutil.rmtree(self.program.journal)
        journal.rename(self.program.journal)

    def test_a_dump_that_is_played_back_stops_the_pipeline_and_nothing_is_sent(self):
        self.regresses(self.dump, self.restore_dump)
        self.is_healed_by_a_rebuild()

    def test_files_that_are_copied_back_stop_the_pipeline_and_nothing_is_sent(self):
        self.regresses(self.copy_files, self.restore_files)

    def test_a_restore_beside_a_running_pawl_ends_it_with_exit_code_4(self):
        self.ends_when_put_back(lambda: self.go_on(LOST // 2))

    def test_a_restore_that_loses_nothing_is_gone_on_with(self):
        self.write_some()
        self.program.must("sync")
        self.dump()
        self.restore_dump()
        self.write("e0", "after")
        self.program.must("sync")
        self.check_equal()
        self.assertEqual(self.labels(), [])

    def test_what_was_lost_before_the_counter_had_passed_it_is_found_and_healed(self):
        self.write_some()
        self.program.must("sync")
        self.dump()
        self.lose_some()
        self.program.must("sync")
        self.restore_dump()
        self.go_on(LOST + 1)
        self.program.must("sync")  # nobody can see it, as docs/recovery.md says
        found = self.documents()
        self.assertEqual((found[f"after{LOST}"], found["lost"]), ("gets an id that was lost", "altogether"))
        self.assertEqual(self.program.run("verify").returncode, 1)
        self.program.must("verify", "--repair")
        self.check_equal()


class Standby(divergence_test.TakingOver, Divergence):
    pass


if __name__ == "__main__":
    unittest.main()
