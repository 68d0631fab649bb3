import json
import pathlib
import unittest

from lab import history
from lab.servers import MariaDB, TemporaryFolder

TABLE = "lex"
ENTITIES = [f"e{number:03}" for number in range(300)]
DEADLINE_SECONDS = 60


class History(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(TemporaryFolder("pawl-test-"))
        cls.database = cls.enterClassContext(MariaDB(pathlib.Path(folder) / "db"))

    def setUp(self):
        self.database.execute("CREATE OR REPLACE DATABASE karp")
        self.connection = self.connect()
        self.addCleanup(self.connection.close)
        history.create_table(self.connection, TABLE)
        history.load(self.connection, TABLE, ((entity, {"name": entity + " ö"}) for entity in ENTITIES))

    def connect(self):
        return self.database.connect(database="karp")

    def rows(self, sql):
        return self.database.execute(sql, database="karp")

    def run_writers(self, goals, count=3, seed=7):
        with history.Writers(self.connect, TABLE, ENTITIES, count, seed) as writers:
            for goal in goals:
                writers.goal = goal
                writers.wait_for(goal, DEADLINE_SECONDS)
            return writers.stop()

    def test_a_load_adds_each_entity_once_in_order_as_it_was(self):
        rows = self.rows("SELECT history_id, entity_id, version, body, op, discarded FROM lex ORDER BY history_id")
        self.assertEqual([row[1] for row in rows], ENTITIES)
        self.assertEqual({(row[2], row[4], row[5]) for row in rows}, {(1, "ADDED", 0)})
        self.assertEqual(json.loads(rows[7][3]), {"name": "e007 ö"})

    def test_the_tally_is_what_the_table_holds(self):
        tally = self.run_writers([500, 3_000])
        counts = dict(self.rows("SELECT op, COUNT(*) FROM lex WHERE version > 1 GROUP BY op"))
        self.assertEqual(counts, {"UPDATED": tally.updates, "DELETED": tally.deletes, "ADDED": tally.readds})
        self.assertEqual(tally.commits, len(tally.commit_seconds))
        self.assertGreaterEqual(tally.rows, 3_000)
        self.assertTrue(0 < tally.commit_milliseconds(0.5) <= tally.commit_milliseconds(0.99))

    def test_each_entity_is_a_chain_of_versions_in_the_order_of_the_ids(self):
        self.run_writers([2_000])
        chains = {}
        for entity, version, op, discarded in self.rows(
            "SELECT entity_id, version, op, discarded FROM lex ORDER BY history_id"
        ):
            chains.setdefault(entity, []).append((version, op, discarded))
        for chain in chains.values():
            self.assertEqual([version for version, *_ in chain], list(range(1, len(chain) + 1)))
            for (_, _, was_gone), (_, op, is_gone) in zip(chain, chain[1:]):
                self.assertEqual(op == "ADDED", bool(was_gone))
                self.assertEqual(op == "DELETED", bool(is_gone))

    def test_rollbacks_leave_holes_and_several_writers_interleave(self):
        tally = self.run_writers([5_000])
        self.assertGreater(tally.rollbacks, 0)
        ((newest, count),) = self.rows("SELECT MAX(history_id), COUNT(*) FROM lex")
        self.assertGreater(newest, count)
        rows = self.rows("SELECT last_modified_by FROM lex WHERE version > 1 ORDER BY history_id")
        users = [user for (user,) in rows]
        self.assertGreater(sum(a != b for a, b in zip(users, users[1:])), 100)

    def test_writers_pause_at_their_goal(self):
        most = history.ROWS_PER_TRANSACTION_MAX
        with history.Writers(self.connect, TABLE, ENTITIES, 2, seed=1) as writers:
            writers.goal = 100
            writers.wait_for(100, DEADLINE_SECONDS)
            self.assertLessEqual(writers.stop().rows, 100 + 2 * most)

    def test_a_writer_that_dies_is_reported(self):
        with history.Writers(self.connect, "no_such_table", ENTITIES, 2, seed=1) as writers:
            writers.goal = 100
            with self.assertRaisesRegex(RuntimeError, "writer [01] ended by itself with 1"):
                writers.wait_for(100, DEADLINE_SECONDS)

    def test_the_seed_decides_a_lone_writers_changes(self):
        def changes():
            self.setUp()
            self.run_writers([1_000], count=1, seed=42)
            return self.rows("SELECT entity_id, version, op, body FROM lex ORDER BY history_id LIMIT 1200")

        self.assertEqual(changes(), changes())


if __name__ == "__main__":
    unittest.main()
