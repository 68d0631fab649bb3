#!/usr/bin/python3
"""pawl rebuild of a pipeline in outbox mode, on real servers.

    PAWL_BINARY=build/dev/pawl PAWL_SERVER=opensearch-2.19.3 outbox_rebuild_test.py [Name.test_name]
"""

import concurrent.futures
import json
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import outbox_test
import pymysql
from busy import Reader

setUpModule = outbox_test.setUpModule
ROWS = 300
KILLED = -9
NO_SUCH_THREAD = 1094
# Where a rebuild is killed, in the order in which it passes them.
PLACES = (
    "before:put_checkpoint:1", "before:send_bulk:1", "after:send_bulk:1", "before:finish_loading:1", "after:finish_loading:1",
    "before:swap_alias:1", "after:swap_alias:1", "before:forget_rebuild:1", "after:forget_rebuild:1",
)


class Rebuild(outbox_test.OutboxTest):
    def fill(self):
        values = ", ".join(f"('s{number}', 'steady{number}', '1')" for number in range(ROWS))
        self.execute(f"INSERT INTO {self.name} VALUES {values}")
        self.write_some()
        self.install()

    def steady_documents(self):
        query = {"query": {"prefix": {"word": "steady"}}}
        return self.program.fetch("POST", f"/{self.name}/_count", query)["count"]

    def has_kept_table(self):
        return bool(self.execute(f"SHOW TABLES LIKE '{self.outbox}\\_rebuild'"))

    def index_behind_alias(self):
        [index] = self.program.fetch("GET", f"/_alias/{self.name}")
        return index

    def rebuild(self, *arguments):
        done = self.program.run("rebuild", "--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def check_over(self, before):
        """The new index is the table, and nothing of the rebuild is left."""
        self.assertNotEqual(self.index_behind_alias(), before)
        self.assertFalse(self.has_kept_table())
        self.assertEqual(self.program.index.client().request("GET", f"/_alias/{self.name}-pawl-rebuild").status, 404)
        self.program.must("verify")


class Done(Rebuild):
    def test_beside_a_daemon_and_writers_readers_see_a_whole_index_and_nothing_is_lost(self):
        self.fill()
        with self.running():
            self.wait_until_equal()
            self.program.fetch("POST", f"/{self.name}/_refresh")
            before = self.index_behind_alias()
            with Reader(self.steady_documents) as reader, self.busy():
                report = self.rebuild()
                self.assertEqual(report["old_index"], before)
                reader.look_again()
            self.wait_until_equal()
            self.assertEqual(reader.seen, {ROWS})
            self.assertEqual(self.labels(), ["R10"])
            self.put("after", "w")
            self.remove("e3")
            self.wait_until_equal()
        self.check_over(before)

    def test_without_a_daemon_the_next_pawl_takes_the_new_index_up(self):
        self.fill()
        self.program.must("sync")
        self.put("e0", "pending")
        self.remove("e1")
        before = self.index_behind_alias()
        self.assertEqual(self.rebuild("--drop-old")["documents"], ROWS + 19)
        self.assertFalse(self.has_kept_table())
        self.assertEqual(self.documents()["e0"], "pending")
        self.assertEqual(self.steps("recover"), ["R10"])
        self.program.must("sync")
        self.check_equal()
        self.check_over(before)

    def test_after_the_outbox_was_truncated(self):
        self.fill()
        self.write_some(word="fed")
        self.program.must("sync")
        self.execute(f"TRUNCATE {self.outbox}")
        self.put("e0", "changed")
        self.assertEqual(self.program.run("sync").returncode, 4)
        self.assertEqual(self.status()["condition"], "SOURCE_REGRESSED")
        before = self.index_behind_alias()
        self.rebuild()
        self.put("e0", "later")
        self.remove("e1")
        self.program.must("sync")
        self.check_equal()
        self.check_over(before)

    def test_an_outbox_that_has_handed_out_fewer_ids_than_the_rebuild_has_used(self):
        self.fill()
        with self.running():
            self.wait_until_equal()
            before = self.index_behind_alias()
            self.assertEqual(self.program.run("rebuild", failpoint="before:finish_loading:1").returncode, KILLED)
            self.execute(f"INSERT INTO {self.outbox}_rebuild (id, entity) VALUES (1000000, 'e0')")
            self.rebuild()
            self.put("e0", "later")
            self.remove("e1")
            self.wait_until_equal()
        self.assertGreater(self.program.fetch("GET", f"/{self.name}/_doc/e0")["_version"], 1000000)
        self.assertEqual(self.program.quarantine(), {})  # the row that raised the ids is gone, too
        self.check_over(before)

    def test_a_pipeline_that_needs_a_refill_gets_it(self):
        self.fill()
        self.program.must("sync")
        self.make_index("new")
        self.program.fetch("PUT", f"/{self.name}-new/_doc/e0?refresh=true", {"word": "from elsewhere"})
        self.move_alias(f"{self.name}-new")
        self.assertEqual(self.program.run("sync").returncode, 4)
        self.rebuild()
        self.put("e0", "later")
        self.program.must("sync")
        self.check_equal()
        self.check_over(f"{self.name}-new")

    def test_what_the_new_index_refuses_is_in_the_daemons_quarantine(self):
        self.fill()
        self.put("bad", "x", n="no number")
        self.program.must("sync")
        before = self.index_behind_alias()
        self.assertEqual(self.rebuild()["rejected"], 1)
        self.program.must("sync")
        self.assertEqual(list(self.program.quarantine()), ["bad"])
        self.check_equal()
        self.check_over(before)


class Interrupted(Rebuild):
    def test_killed_anywhere_it_goes_on_and_nothing_that_was_changed_meanwhile_is_lost(self):
        self.fill()
        with self.running():
            self.wait_until_equal()
            before = self.index_behind_alias()
            for number, place in enumerate(PLACES):
                done = self.program.run("rebuild", failpoint=place)
                self.assertEqual(done.returncode, KILLED, f"{place}: {done.stderr}")
                self.put(f"e{number}", place)
                self.put(f"new{number}", place)
                self.remove(f"s{number}")
                self.wait_until_equal()  # the daemon has deleted the rows of these changes
            self.rebuild()
            self.wait_until_equal()
        self.check_over(before)

    def test_what_the_daemon_deletes_between_the_last_catching_up_and_the_swap_comes_again(self):
        self.fill()
        with self.running():
            self.wait_until_equal()
            self.assertEqual(self.program.run("rebuild", failpoint="before:swap_alias:1").returncode, KILLED)
            self.put("e0", "changed")
            self.remove("e1")
            self.wait_until_equal()
        self.assertEqual(self.execute(f"SELECT entity FROM {self.outbox}_rebuild ORDER BY entity"), (("e0",), ("e1",)))
        before = self.index_behind_alias()
        self.rebuild()
        self.program.must("sync")
        self.check_equal()
        self.check_over(before)

    def test_a_connection_that_breaks_after_the_swap_is_made_again(self):
        self.fill()
        self.program.must("sync")
        before = self.index_behind_alias()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            done = pool.submit(self.program.run, "rebuild")
            self.program.wait_for(lambda: self.index_behind_alias() != before, "the swap")
            self.program.wait_for(self.kill_connections, "a connection")
            self.assertIn("trying again", done.result().stderr)
        self.assertEqual(done.result().returncode, 0, done.result().stderr)
        self.check_over(before)

    def kill_connections(self):
        """Whether there was one but this test's own."""
        others = self.execute(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = 'karp' AND ID <> CONNECTION_ID()"
        )
        for (number,) in others:
            try:
                self.execute(f"KILL CONNECTION {number}")
            except pymysql.OperationalError as gone:
                if gone.args[0] != NO_SUCH_THREAD:  # it has ended by itself
                    raise
        return bool(others)

    def test_given_up_it_leaves_nothing(self):
        self.fill()
        self.program.must("sync")
        before = self.index_behind_alias()
        self.assertEqual(self.program.run("rebuild", failpoint="before:finish_loading:1").returncode, KILLED)
        self.assertTrue(self.has_kept_table())
        self.rebuild("--abort")
        self.assertFalse(self.has_kept_table())
        self.assertEqual(self.index_behind_alias(), before)
        self.put("e0", "later")
        self.program.must("sync")
        self.check_equal()

    def test_without_the_table_that_keeps_rows_it_begins_again(self):
        self.fill()
        self.program.must("sync")
        before = self.index_behind_alias()
        self.assertEqual(self.program.run("rebuild", failpoint="before:finish_loading:1").returncode, KILLED)
        self.execute(f"DROP TABLE {self.outbox}_rebuild")
        self.put("e0", "lost")
        self.program.must("sync")
        self.assertEqual(self.rebuild()["began_with"], "restart")
        self.program.must("sync")
        self.check_equal()
        self.check_over(before)


if __name__ == "__main__":
    unittest.main()
