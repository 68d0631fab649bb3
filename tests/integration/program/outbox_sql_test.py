#!/usr/bin/python3
"""`pawl outbox-sql` and `pawl check` in outbox mode, as an administrator meets them.

    PAWL_BINARY=build/dev/pawl outbox_sql_test.py [Name.test_name]
"""

import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "tools"))

from lab.servers import MariaDB, TemporaryFolder

BINARY = os.environ["PAWL_BINARY"]
SECONDS_MAX = 60

# A table and key column whose names hold all that a client may stumble over.
ODD_TABLE = "a`b;c \"d\" 'e' $$ \\ å"
ODD_KEY = "k`;\\"


def setUpModule():
    global folder, database
    folder = unittest.enterModuleContext(TemporaryFolder())
    database = unittest.enterModuleContext(MariaDB(folder / "db"))


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def toml(text):
    return json.dumps(text, ensure_ascii=False)


class OutboxSqlTest(unittest.TestCase):
    count = 0

    def setUp(self):
        OutboxSqlTest.count += 1
        self.database = f"t{OutboxSqlTest.count}"
        database.execute(f"CREATE DATABASE {self.database} CHARACTER SET utf8mb4")
        self.connection = database.connect(database=self.database)
        self.addCleanup(self.connection.close)
        self.config = folder / f"{self.database}.toml"

    def execute(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            self.connection.commit()
            return cursor.fetchall()

    def column(self, sql):
        return [row[0] for row in self.execute(sql)]

    def configure(self, *sources, socket=None):
        pipelines = "".join(
            f'[[pipeline]]\nname = "p{number}"\nindex = {{ alias = "p{number}" }}\n[pipeline.source]\n{source}\n'
            for number, source in enumerate(sources)
        )
        self.config.write_text(
            f'[journal]\npath = "{folder}/journal"\n[mariadb]\nsocket = "{socket or database.socket}"\n'
            f'database = "{self.database}"\nuser = "root"\n'
            f'[elasticsearch]\nurls = ["http://127.0.0.1:1"]\n{pipelines}',
            encoding="utf-8",
        )

    def pawl(self, *words):
        return subprocess.run(
            [BINARY, *words, "--config", self.config], capture_output=True, text=True, timeout=SECONDS_MAX
        )

    def must(self, *words):
        done = self.pawl(*words)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def client(self, sql, *options):
        """The mariadb client reads what pawl has printed, as an administrator would have it."""
        done = subprocess.run(
            ["mariadb", "--no-defaults", "-uroot", "-S", str(database.socket), *options],
            input=sql.encode(), capture_output=True, timeout=SECONDS_MAX,
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))

    def triggers(self):
        return self.column(
            f"SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '{self.database}' "
            "ORDER BY TRIGGER_NAME"
        )

    def check(self):
        """Verdict and text of what `pawl check` says of MariaDB; no search server is there."""
        found = json.loads(self.pawl("check", "--json").stdout)["findings"]
        return [(each["verdict"], each["what"]) for each in found if each["subject"] == "mariadb"]


class Simple(OutboxSqlTest):
    def setUp(self):
        super().setUp()
        self.execute("CREATE TABLE lex (id INT PRIMARY KEY, word VARCHAR(9))")
        self.configure('mode = "outbox"\ntable = "lex"\nentity = "id"')

    def test_apply_says_what_it_does_and_the_second_time_that_there_is_nothing_to_do(self):
        t = self.database
        first = self.must("outbox-sql", "--apply")
        self.assertEqual(
            first,
            f"table {t}.pawl_outbox_lex: done\nprivileges for the triggers on {t}.lex: done\n"
            f"trigger pawl_lex_insert on {t}.lex: done\ntrigger pawl_lex_update on {t}.lex: done\n"
            f"trigger pawl_lex_delete on {t}.lex: done\n",
        )
        self.execute("INSERT INTO lex VALUES (1, 'a')")
        self.assertEqual(self.must("outbox-sql", "--apply"), first.replace("done", "nothing to do"))
        self.assertEqual(self.column("SELECT entity FROM pawl_outbox_lex"), [1])
        [(verdict, _)] = self.check()
        self.assertEqual(verdict, "ok")

    def test_what_is_printed_changes_nothing_and_the_client_takes_it_twice(self):
        sql = self.must("outbox-sql")
        self.assertEqual(self.triggers(), [])
        self.client(sql)
        self.client(sql, "--default-character-set=latin1", "--comments")
        self.execute("INSERT INTO lex VALUES (1, 'a')")
        self.execute("UPDATE lex SET id = 2")
        self.assertEqual(self.column("SELECT entity FROM pawl_outbox_lex ORDER BY id"), [1, 2, 1])
        [(verdict, _)] = self.check()
        self.assertEqual(verdict, "ok")
        self.assertNotIn(": done", self.must("outbox-sql", "--apply"))

    def test_drop_refuses_rows_unless_forced(self):
        self.must("outbox-sql", "--apply")
        self.execute("INSERT INTO lex VALUES (1, 'a')")
        for words in (["--drop"], ["--drop", "--apply"]):
            done = self.pawl("outbox-sql", *words)
            self.assertEqual((done.returncode, done.stdout), (4, ""))
            self.assertIn("still has rows", done.stderr)
            self.assertEqual(len(self.triggers()), 3)
        said = self.must("outbox-sql", "--drop", "--apply", "--force").splitlines()
        self.assertEqual(said[-1], f"table {self.database}.pawl_outbox_lex: done")
        self.assertEqual(self.triggers(), [])
        self.assertEqual(self.column("SHOW TABLES"), ["lex"])
        self.assertNotIn(": done", self.must("outbox-sql", "--drop", "--apply"))

    def test_what_drop_prints_removes_all(self):
        self.must("outbox-sql", "--apply")
        sql = self.must("outbox-sql", "--drop")
        self.client(sql)
        self.client(sql)
        self.assertEqual((self.triggers(), self.column("SHOW TABLES")), ([], ["lex"]))

    def test_errors_and_their_exit_codes(self):
        done = self.pawl("outbox-sql", "--pipeline", "nope")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("those are: p0", done.stderr)
        self.configure('mode = "outbox"\ntable = "lexx"\nentity = "id"')
        done = self.pawl("outbox-sql")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn(f"pipeline p0: there is no table {self.database}.lexx", done.stderr)
        self.configure('mode = "outbox"\ntable = "lex"\nentity = "idd"')
        self.assertEqual(self.pawl("outbox-sql", "--apply").returncode, 2)
        self.configure('mode = "outbox"\ntable = "lex"\nentity = "id"', socket="/nowhere.sock")
        self.assertEqual(self.pawl("outbox-sql").returncode, 3)


class Odd(OutboxSqlTest):
    def test_names_that_need_quoting_pass_through_the_client(self):
        self.execute(
            f"CREATE TABLE {quoted(ODD_TABLE)} ({quoted(ODD_KEY)} VARCHAR(9) NOT NULL, n INT NOT NULL, "
            f"PRIMARY KEY ({quoted(ODD_KEY)}, n))"
        )
        self.configure(f'mode = "outbox"\ntable = {toml(ODD_TABLE)}\nentity = {toml("{" + ODD_KEY + "}/{n}")}')
        sql = self.must("outbox-sql")
        self.client(sql)
        self.client(sql, "--default-character-set=latin1")
        self.execute(f"INSERT INTO {quoted(ODD_TABLE)} VALUES ('a', 1)")
        self.execute(f"UPDATE {quoted(ODD_TABLE)} SET {quoted(ODD_KEY)} = 'A'")
        outbox = quoted("pawl_outbox_" + ODD_TABLE)
        self.assertEqual(
            self.execute(f"SELECT {quoted('entity_' + ODD_KEY)}, entity_n FROM {outbox} ORDER BY id"),
            (("a", 1), ("A", 1), ("a", 1)),
        )
        verdicts = [verdict for verdict, _ in self.check()]
        self.assertEqual(verdicts, ["ok"])
        self.client(self.must("outbox-sql", "--drop", "--force"))
        self.assertEqual(self.triggers(), [])

    def test_one_pipeline_of_several_is_chosen(self):
        for table in ("a", "b"):
            self.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY)")
        self.configure(*(f'mode = "outbox"\ntable = "{table}"\nentity = "id"' for table in ("a", "b")))
        self.must("outbox-sql", "--apply", "--pipeline", "p1")
        self.assertEqual(self.triggers(), ["pawl_b_delete", "pawl_b_insert", "pawl_b_update"])
        self.must("outbox-sql", "--apply")
        self.assertEqual(len(self.triggers()), 6)


if __name__ == "__main__":
    unittest.main()
