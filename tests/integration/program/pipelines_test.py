#!/usr/bin/python3
"""Three pipelines in one daemon, of both modes: where one cannot go on, the others keep up with their writers.

    PAWL_BINARY=build/dev/pawl pipelines_test.py [Name.test_name]
"""

import contextlib
import json
import os
import pathlib
import sys
import threading
import time
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "load")]

from program import MAPPING
from program import TABLE_SQL as HISTORY_SQL
from proxy import Proxy
from table_writers import TABLE_SQL

from lab.pawl import Pawl, Pipeline, write_config
from lab.servers import MariaDB, SearchServer, TemporaryFolder

BINARY = os.environ["PAWL_BINARY"]
SECONDS_MAX = 60
OTHERS_SECONDS_MAX = 30  # for all of their changes: less than pawl's patience with a server that is silent (1 min)
ROUNDS = 5  # changes of each healthy pipeline, one after the other, while another one stands
LIMITS = ("\n[pipeline.limits]\npoll_interval = '50ms'\ncheckpoint_interval = '300ms'\nretry_delay_min = '50ms'\n"
          "retry_delay_max = '500ms'\n")  # fmt: skip


instead = {}  # alias: what its bulk requests get in place of the server's answer


def between(_method, path, forward):
    answer = instead.get(path.split("/")[1]) if "/_bulk" in path else None
    return answer(forward) if answer else forward()


def setUpModule():
    global folder, database, index, proxy
    folder = unittest.enterModuleContext(TemporaryFolder())
    database = unittest.enterModuleContext(MariaDB(folder / "db"))
    index = unittest.enterModuleContext(SearchServer("elasticsearch-8.19.7", folder / "search"))
    proxy = unittest.enterModuleContext(Proxy(index.port, between))


class Pipelines(unittest.TestCase):
    count = 0

    def setUp(self):
        Pipelines.count += 1
        prefix = f"p{Pipelines.count}"
        database.execute("CREATE OR REPLACE DATABASE karp")
        self.connection = database.connect(database="karp")
        self.addCleanup(self.connection.close)
        # `moved` has no `create`: pawl makes no index for it.
        self.plain, self.history, self.moved = self.pipelines = [
            Pipeline(name, name, f"{prefix}-{name}", fields={"version": "version"}, mode=mode)
            for name, mode in (("plain", "outbox"), ("history", "revision"), ("moved", "outbox"))
        ]
        for pipeline in self.pipelines:
            sql = HISTORY_SQL if pipeline.mode == "revision" else TABLE_SQL
            self.execute(sql.format(table=pipeline.table))
        self.put_alias(self.moved)
        self.start(folder / prefix)
        self.versions = {}
        for pipeline in self.pipelines:
            self.keeps_up(pipeline)

    def start(self, place):
        place.mkdir()
        mapping = place / "index.json"
        mapping.write_text(json.dumps(MAPPING))
        mariadb = {"socket": str(database.socket), "database": "karp", "user": "root"}
        config = place / "pawl.toml"
        more = [(self.history, mapping), (self.moved, None)]
        write_config(config, place / "journal", mariadb, [proxy.url], self.plain, mapping, more=more)
        head, *rest = config.read_text(encoding="utf-8").split("[[pipeline]]")
        config.write_text(head + "".join(f"[[pipeline]]{each}{LIMITS}" for each in rest), encoding="utf-8")
        self.pawl = Pawl(BINARY, config, place / "log")
        self.pawl.text("outbox-sql", "--apply")
        self.pawl.start()
        self.addCleanup(self.pawl.end)

    def execute(self, sql, arguments=(), connection=None):
        with (connection or self.connection).cursor() as cursor:
            cursor.execute(sql, arguments)
            return cursor.fetchall()

    def put_alias(self, pipeline):
        index.client().put(f"/{pipeline.alias}-1", MAPPING)
        index.client().post("/_aliases", {"actions": [{"add": {"index": f"{pipeline.alias}-1", "alias": pipeline.alias}}]})

    def write(self, pipeline, connection=None):
        """Another version of the pipeline's only entity."""
        version = self.versions[pipeline.name] = self.versions.get(pipeline.name, 0) + 1
        sql = f"INSERT INTO {pipeline.table} (entity_id, version, body) VALUES ('e', %s, '{{}}')"
        if pipeline.mode == "outbox":
            sql += " ON DUPLICATE KEY UPDATE version = VALUES(version)"
        self.execute(sql, (version,), connection)

    def version(self, pipeline, where=None):
        """As the index has it; None: it has none."""
        answer = index.client().request("GET", f"/{where or pipeline.alias}/_doc/e")
        return answer.body["_source"]["version"] if answer.status == 200 else None

    def wait_until_there(self, pipeline):
        wanted = self.versions[pipeline.name]
        self.pawl.poll(lambda: self.version(pipeline) == wanted, f"{pipeline.name}: version {wanted}", SECONDS_MAX)

    def keeps_up(self, pipeline):
        self.write(pipeline)
        self.wait_until_there(pipeline)

    def condition(self, pipeline):
        return self.pawl.status(pipeline.name)["condition"]

    def others_keep_up(self, standing):
        began = time.monotonic()
        for _ in range(ROUNDS):
            for pipeline in self.pipelines:
                if pipeline is not standing:
                    self.keeps_up(pipeline)
                    self.assertEqual(self.condition(pipeline), "RUNNING")
        seconds = time.monotonic() - began
        print(f"{standing.name} stands ({self.condition(standing)}); the others took {seconds:.2f} s for {ROUNDS} changes each",
              file=sys.stderr)  # fmt: skip
        self.assertLess(seconds, OTHERS_SECONDS_MAX)

    def test_a_table_that_somebody_has_locked(self):
        with database.connect(database="karp") as locker, contextlib.ExitStack() as stack:
            self.execute(f"LOCK TABLES {self.plain.table} WRITE, {self.plain.outbox} WRITE", connection=locker)
            stack.callback(self.execute, "UNLOCK TABLES", connection=locker)
            self.write(self.plain, locker)
            self.others_keep_up(self.plain)
            self.assertEqual(self.version(self.plain), self.versions["plain"] - 1)
        self.wait_until_there(self.plain)

    def test_a_history_that_somebody_has_locked(self):
        with database.connect(database="karp") as locker, contextlib.ExitStack() as stack:
            self.execute(f"LOCK TABLES {self.history.table} WRITE", connection=locker)
            stack.callback(self.execute, "UNLOCK TABLES", connection=locker)
            self.write(self.history, locker)
            self.others_keep_up(self.history)
            self.assertEqual(self.version(self.history), self.versions["history"] - 1)
        self.wait_until_there(self.history)

    def test_an_index_that_does_not_answer(self):
        goes_on = threading.Event()

        def held(forward):
            goes_on.wait()
            return forward()

        self.stands_at_its_index(held, goes_on.set)

    def test_an_index_that_takes_nothing_more(self):
        full = json.dumps({"error": {"type": "es_rejected_execution_exception", "reason": "queue is full"}, "status": 429})
        self.stands_at_its_index(lambda _forward: (429, "application/json", full.encode()), lambda: None)

    def stands_at_its_index(self, answer, let_go):
        standing = self.history
        instead[standing.alias] = answer
        try:
            self.write(standing)
            self.others_keep_up(standing)
            self.assertEqual(self.version(standing), self.versions[standing.name] - 1)
        finally:
            instead.clear()
            let_go()
        self.wait_until_there(standing)

    def test_an_alias_that_is_gone(self):
        concrete = f"{self.moved.alias}-1"
        index.client().delete(f"/{concrete}/_alias/{self.moved.alias}")
        self.write(self.moved)
        self.pawl.poll(lambda: self.condition(self.moved) == "REFUSED", "moved: refused", SECONDS_MAX)
        self.others_keep_up(self.moved)
        self.assertEqual(self.version(self.moved, concrete), self.versions["moved"] - 1)
        self.assertEqual(self.condition(self.moved), "REFUSED")
        index.client().post("/_aliases", {"actions": [{"add": {"index": concrete, "alias": self.moved.alias}}]})
        self.pawl.stop()
        self.pawl.start()
        for pipeline in self.pipelines:
            self.keeps_up(pipeline)

    def test_an_outbox_that_was_truncated_stops_its_pipeline_alone(self):
        for pipeline in (self.plain, self.moved):
            # More ids than come after the other one's truncation.
            for _ in range(ROUNDS):
                self.keeps_up(pipeline)
        self.execute(f"TRUNCATE {self.plain.outbox}")
        self.write(self.plain)
        self.pawl.poll(lambda: self.condition(self.plain) == "SOURCE_REGRESSED", "plain: stopped", SECONDS_MAX)
        self.others_keep_up(self.plain)
        self.assertEqual(self.version(self.plain), self.versions["plain"] - 1)
        self.assertEqual(self.condition(self.plain), "SOURCE_REGRESSED")


if __name__ == "__main__":
    unittest.main()
