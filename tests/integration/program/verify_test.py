#!/usr/bin/python3
"""pawl verify on real servers: what it finds, what it must not find, and what --repair heals.

    PAWL_BINARY=build/dev/pawl PAWL_SERVER=opensearch-2.19.3 verify_test.py [Name.test_name]
"""

import collections
import contextlib
import json
import os
import pathlib
import shutil
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from busy import Busy
from program import MAPPING, TABLE_SQL, Program, enter_servers

BINARY = os.environ["PAWL_BINARY"]
SERVER = os.environ.get("PAWL_SERVER", "elasticsearch-8.19.7")
HIGH_VERSION = 1_000_000
RUNS_UNDER_LOAD = 6
RUNS_MAX = 3 * RUNS_UNDER_LOAD
LISTED_MAX = 10_000
ALL_DIFFERENT = 10_050


def setUpModule():
    global folder, database, index
    folder, database, index = enter_servers(SERVER)


class Verify(unittest.TestCase):
    count = 0

    def setUp(self):
        Verify.count += 1
        self.name = f"v{Verify.count}"
        self.connection = database.connect(database="karp")
        self.addCleanup(self.connection.close)
        self.execute(TABLE_SQL.format(table=self.name))
        self.program = Program(BINARY, folder, self.name, database, index, table=self.name)
        self.versions = {}

    def execute(self, sql, arguments=()):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            return cursor.fetchall()

    def write(self, entity, word=None, table=None):
        """Another version of the entity; without a word it is deleted. Returns the revision."""
        self.versions[entity] = self.versions.get(entity, 0) + 1
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table or self.name} (entity_id, version, body, discarded) VALUES (%s, %s, %s, %s)",
                (entity, self.versions[entity], json.dumps({"word": word}), word is None))
            return cursor.lastrowid

    def busy(self, **options):
        versions = collections.Counter()

        def change(cursor, dice, entity):
            versions[entity] += 1
            cursor.execute(
                f"INSERT INTO {self.name} (entity_id, version, body, discarded) VALUES (%s, %s, %s, %s)",
                (entity, versions[entity], json.dumps({"word": f"w{dice.random()}"}), dice.random() < 0.3))

        return Busy(lambda: database.connect(database="karp"), change, **options)

    def write_some(self, count=30):
        for number in range(count):
            self.write(f"e{number}", "w")
        self.write("gone", "a")
        self.write("gone")

    # The index, by hand

    def document(self, method, entity, parameters="", body=None):
        quoted = urllib.parse.quote(entity, safe="")
        return self.program.index.client().request(
            method, f"/{self.name}/_doc/{quoted}?refresh=true&{parameters}", body)

    def put(self, entity, version, word="by hand"):
        self.document("PUT", entity, f"version={version}&version_type=external_gte", {"word": word}).ok()

    def take_out(self, entity, version):
        """As pawl itself deletes: the version stays what it was."""
        answer = self.document("DELETE", entity, f"version={version}&version_type=external_gte")
        self.assertIn(answer.status, (200, 404))

    def put_older(self, entity, version, latest):
        """A document with an older version than the index had: what a late request does after gc_deletes."""
        self.take_out(entity, latest)
        settings = f"/{self.name}/_settings"
        self.program.fetch("PUT", settings, {"index.gc_deletes": "0ms"})
        self.program.wait_for(
            lambda: self.document("PUT", entity, f"version={version}&version_type=external", {"word": "old"}).status < 300,
            "the tombstone to expire")
        self.program.fetch("PUT", settings, {"index.gc_deletes": "1h"})

    # pawl

    @contextlib.contextmanager
    def running(self):
        """Yields once the daemon is in step."""
        with self.program.running() as process:
            self.program.wait_until_equal(self.connection)
            yield process

    def verify(self, *arguments, code=None):
        """The one pipeline's report."""
        done = self.program.run("verify", "--json", *arguments)
        self.assertIn(done.returncode, (0, 1) if code is None else (code,), done.stderr + done.stdout)
        report = json.loads(done.stdout)
        self.assertEqual(report["equal"], done.returncode == 0)
        return report["pipelines"][0]

    def found(self, report):
        return {each["entity"]: each["kind"] for each in report["differences"]}

    def refuses(self, code, *words):
        done = self.program.run("verify")
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def plant_all(self):
        """One difference of each kind. Returns {entity: kind}."""
        old = self.write("stale", "old")
        new = self.write("stale", "new")
        risen_old = self.write("risen", "old")
        risen_end = self.write("risen")
        missing = self.write("missing", "w")
        content = self.write("content", "w")
        self.write("foreign", "w")
        self.write("above", "w")
        below = self.write("below", "w")
        self.program.wait_until_equal(self.connection) if self.is_running else self.program.must("sync")
        self.put_older("stale", old, new)
        self.put_older("risen", risen_old, risen_end)
        self.put_older("below", 1, below)  # a revision of another entity
        self.take_out("missing", missing)
        self.put("content", content)
        self.put("foreign", HIGH_VERSION)
        self.put("nobody", 7)
        return {"stale": "stale", "risen": "risen", "missing": "missing", "content": "content", "foreign": "foreign",
                "nobody": "surplus", "below": "foreign"}

    is_running = False


class Equal(Verify):
    def test_an_index_that_pawl_has_fed_is_equal_also_by_content(self):
        self.write_some()
        self.write("bad", "w" * 40_000)  # goes to quarantine
        self.write("e" * 600, "w")  # no id
        self.program.must("sync")
        for arguments in ((), ("--content",)):
            report = self.verify(*arguments, code=0)
            self.assertEqual((report["documents"], report["entities"]), (30, 30))
            self.assertEqual((report["quarantined"], report["unsettled"], report["buckets_differing"]), (2, 0, 0))
            self.assertEqual(report["revision"], self.program.pawl.status("lex")["watermark"])
            self.assertEqual(report["content"], bool(arguments))
        done = self.program.must("verify")
        self.assertIn("lex: equal; 30 documents", done.stdout)
        self.assertIn("2 entities in quarantine", done.stdout)

    def test_what_has_not_been_sent_yet_is_no_difference(self):
        self.write_some()
        self.program.must("sync")
        self.write("e0", "later")
        self.write("e1")
        self.write("new", "later")
        report = self.verify("--content", code=0)
        self.assertEqual(report["entities"], 30)

    def test_an_index_without_a_journal_is_compared_at_what_it_remembers_less_what_it_owes(self):
        self.write("bad", "w" * 40_000)
        self.write_some()
        self.program.must("sync")
        shutil.rmtree(self.program.journal)
        self.write("e0", "later")
        report = self.verify(code=0)
        self.assertEqual((report["quarantined"], report["documents"], report["revision"]), (1, 30, 33))
        self.assertFalse(self.program.journal.exists())  # looking makes none

    def test_where_another_pawl_has_fed_it_further_its_quarantine_counts_and_not_the_one_here(self):
        self.write("mended", "w" * 40_000)
        self.write_some()
        self.program.must("sync")
        here, elsewhere = self.program.journal, self.program.folder / "elsewhere"
        shutil.copytree(here, elsewhere)
        self.write("mended", "w")
        self.write("bad", "w" * 40_000)
        latest = self.write("e1", "later")
        self.program.must("sync")
        shutil.rmtree(here)
        shutil.copytree(elsewhere, here)
        report = self.verify(code=0)
        self.assertEqual((report["quarantined"], report["documents"], report["revision"]), (1, 31, latest))
        self.document("DELETE", "mended").ok()
        self.assertEqual(self.found(self.verify(code=1)), {"mended": "missing"})

    def test_a_table_without_rows_and_a_huge_revision(self):
        self.program.must("sync")
        self.assertEqual(self.verify(code=0)["documents"], 0)
        self.execute(f"INSERT INTO {self.name} VALUES (9000000000000000000, 'far', 1, '{{}}', 0)")
        self.program.must("sync")
        self.assertEqual(self.verify("--content", code=0)["documents"], 1)

    def test_ids_that_the_collation_holds_equal_and_ids_that_want_escaping(self):
        names = ["abc", "ABC", "abc ", "åäö", "it's", 'a"b', "a\\b", "%", "' OR 1=1 -- ", "\U0001f600", "a\nb"]
        for name in names:
            self.execute(f"INSERT INTO {self.name} (entity_id, version, body, discarded) VALUES (%s, %s, '{{}}', 0)",
                         (name, names.index(name)))
        self.program.must("sync")
        self.assertEqual(self.verify("--content", code=0)["documents"], len(names))
        surplus = [name + "x" for name in names] + ["aBc"]
        for name in surplus:
            self.put(name, 3)
        revision = self.execute(f"SELECT history_id FROM {self.name} WHERE BINARY entity_id = 'ABC'")[0][0]
        self.take_out("ABC", revision)
        report = self.verify(code=1)
        self.assertEqual(self.found(report), {**{name: "surplus" for name in surplus}, "ABC": "missing"})
        self.verify("--repair", code=0)
        self.assertEqual(self.verify("--content", code=0)["documents"], len(names))


class Different(Verify):
    def test_each_kind_is_found_while_writers_and_the_daemon_go_on_and_healed_by_the_daemon(self):
        self.write_some()
        with self.running():
            self.is_running = True
            planted = self.plant_all()
            with self.busy():
                for _ in range(3):
                    found = self.found(self.verify("--content", code=1))
                    self.assertEqual(found, planted)
                self.assertNotIn("content", self.found(self.verify(code=1)))
                report = self.verify("--content", "--repair", code=1)
                outcomes = {each["entity"]: each["outcome"] for each in report["differences"]}
                self.assertEqual(outcomes, {entity: "healed" for entity in planted} | {"foreign": "open"})
            self.program.wait_for(lambda: self.found(self.verify("--content")) == {"foreign": "foreign"}, "the rest")
        self.assertEqual(self.program.quarantine(), {})

    def test_without_a_daemon_repair_heals_all_that_has_no_higher_version(self):
        self.write_some()
        self.program.must("sync")
        planted = self.plant_all()
        self.assertEqual(self.found(self.verify("--content", code=1)), planted)
        batches = self.last_batch()
        report = self.verify("--content", "--repair", code=1)
        self.assertEqual({each["entity"] for each in report["differences"] if each["outcome"] != "healed"}, {"foreign"})
        self.assertGreater(self.last_batch(), batches)  # journaled
        self.document("DELETE", "foreign").ok()
        self.program.fetch("PUT", f"/{self.name}/_settings", {"index.gc_deletes": "10s"})
        self.assertEqual(self.found(self.verify("--content", code=1)), {"foreign": "missing"})

    def test_where_only_a_standby_runs_a_repair_says_who_feeds_the_index(self):
        self.write_some()
        self.program.must("sync")
        other = self.program.folder / "other"
        other.mkdir()
        standby = Program(BINARY, other, self.name, database, index, table=self.name)
        with self.running():
            with standby.running():
                standby.wait_for(lambda: (standby.pawl.status("lex") or {}).get("condition") == "STANDBY", "the standby")
                self.take_out("e1", 2)
                done = standby.run("verify", "--repair")
                self.assertEqual(done.returncode, 3, done.stderr)
                self.assertIn("is a standby: another pawl", done.stderr)
            self.assertEqual(self.found(self.verify("--repair", code=0)), {"e1": "missing"})

    def last_batch(self):
        batches = self.program.pawl.json("dump")["pipelines"][0]["batches"]
        return max(int(batch["id"].partition("/")[2]) for batch in batches)

    def test_what_was_deleted_by_hand_cannot_be_sent_before_its_tombstone_expires_and_it_says_so(self):
        self.write_some()
        self.program.must("sync")
        self.document("DELETE", "e0").ok()  # the tombstone has a version above the history
        report = self.verify("--repair", code=1)
        self.assertEqual([(each["entity"], each["outcome"]) for each in report["differences"]], [("e0", "quarantined")])
        self.assertEqual(self.program.quarantine(), {"e0": "foreign_version"})

    def test_the_text_names_the_differences_and_what_to_do(self):
        self.write_some()
        self.program.must("sync")
        self.take_out("e3", 4)
        self.put("e4", HIGH_VERSION)
        done = self.program.run("verify")
        self.assertEqual(done.returncode, 1)
        for words in ("lex: DIFFERENT: 1 missing, 1 foreign", "e3", "1000000", "pawl verify --repair --pipeline lex",
                      "pawl rebuild"):
            self.assertIn(words, done.stdout)
        self.assertIn("1 missing", self.program.run("verify", "--repair").stdout)
        self.assertIn("1 foreign", self.program.run("verify").stdout)

    def test_a_thousand_differences_are_all_found_and_healed(self):
        self.write_some(1500)
        self.program.must("sync")
        self.program.fetch("POST", f"/{self.name}/_refresh")
        lines = []
        for number in range(1000):
            lines.append(json.dumps({"delete": {"_id": f"e{number}", "version": number + 1, "version_type": "external_gte"}}))
        self.program.index.client().request("POST", f"/{self.name}/_bulk", "\n".join(lines) + "\n").ok()
        report = self.verify(code=1)
        self.assertEqual(report["counts"]["missing"], 1000)
        self.assertEqual(self.verify("--repair", code=0)["counts"]["missing"], 1000)
        self.assertEqual(self.verify("--content", code=0)["documents"], 1500)

    def test_more_differences_than_are_listed_end_it_and_repair_goes_on_where_it_ended(self):
        values = ", ".join(f"('e{number}', 1, '{{}}')" for number in range(ALL_DIFFERENT))
        self.execute(f"INSERT INTO {self.name} (entity_id, version, body) VALUES {values}")
        self.program.must("sync")
        self.program.fetch("POST", f"/{self.name}/_refresh")
        lines = [{"delete": {"_id": f"e{number}", "version": number + 1, "version_type": "external_gte"}}
                 for number in range(ALL_DIFFERENT)]
        self.assertFalse(self.program.index.client().bulk(lines, f"/{self.name}/_bulk?refresh=true")["errors"])
        report = self.verify(code=1)
        self.assertEqual((len(report["differences"]), report["more_differences"]), (LISTED_MAX, True))
        self.assertEqual(report["counts"]["missing"], LISTED_MAX)
        self.assertEqual((report["entities"], report["documents"]), (ALL_DIFFERENT, 0))
        said = self.program.run("verify").stdout
        self.assertIn(f"{LISTED_MAX} missing or more", said)
        self.assertIn("pawl rebuild", said)
        report = self.verify("--repair", code=1)  # of what is listed nothing is left, but that is not all
        self.assertEqual({each["outcome"] for each in report["differences"]}, {"healed"})
        self.assertEqual((report["more_differences"], report["settled"]), (True, False))
        report = self.verify("--repair", code=0)
        self.assertEqual(len(report["differences"]), ALL_DIFFERENT - LISTED_MAX)
        self.assertEqual(self.verify("--content", code=0)["documents"], ALL_DIFFERENT)

    def test_of_two_pipelines_each_has_its_own_answer(self):
        other = f"{self.name}b"
        self.execute(TABLE_SQL.format(table=other))
        text = self.program.config.read_text()
        start = text.index("[[pipeline]]")
        second = text[start:].replace('name = "lex"', 'name = "two"').replace(f'"{self.name}"', f'"{other}"')
        self.program.config.write_text(text + "\n" + second)
        self.write_some()
        revision = self.write("only", "w", table=other)
        self.program.must("sync")
        self.program.must("verify")
        client = self.program.index.client()
        client.request("DELETE", f"/{other}/_doc/only?version={revision}&version_type=external_gte").ok()
        done = self.program.run("verify", "--json")
        self.assertEqual(done.returncode, 1)
        self.assertEqual([(each["name"], each["equal"]) for each in json.loads(done.stdout)["pipelines"]],
                         [("lex", True), ("two", False)])
        self.verify("--pipeline", "lex", code=0)
        self.verify("--pipeline", "two", "--repair", code=0)
        self.program.must("verify", "--content")
        self.assertEqual(self.program.run("verify", "--pipeline", "three").returncode, 2)


class Source(Verify):
    def make_index(self, **mapping):
        body = json.loads(json.dumps(MAPPING))
        body["mappings"] |= mapping
        (self.program.folder / "index.json").write_text(json.dumps(body))

    def test_what_the_mapping_keeps_out_of_the_source_is_left_out_and_it_says_so(self):
        self.make_index(_source={"excludes": ["secret", "meta.*"]})
        for number in range(5):
            self.write(f"e{number}", "w")
        body = {"word": "w", "n": 2.50, "secret": 1, "meta": {"a": 1}, "list": [{"x": 1.0}], "big": 12345678901234567}
        self.execute(f"INSERT INTO {self.name} (entity_id, version, body, discarded) VALUES ('full', 1, %s, 0)",
                     (json.dumps(body),))
        self.program.must("sync")
        report = self.verify("--content", code=0)
        self.assertEqual(report["left_out"], ["secret", "meta.*"])
        self.assertIn("keeps it out of _source: secret, meta.*", self.program.must("verify", "--content").stdout)
        self.document("PUT", "full", "version=6&version_type=external_gte",
                      body | {"secret": 2, "_entry_version": 1}).ok()
        self.verify("--content", code=0)
        self.document("PUT", "full", "version=6&version_type=external_gte", body | {"n": 3, "_entry_version": 1}).ok()
        self.assertEqual(self.found(self.verify("--content", code=1)), {"full": "content"})

    def test_what_the_mapping_includes_is_all_that_is_compared(self):
        self.make_index(_source={"includes": ["word"]})
        revision = self.write("e0", "w")
        self.program.must("sync")
        self.assertEqual(self.verify("--content", code=0)["left_out"], ["all but word"])
        self.document("PUT", "e0", f"version={revision}&version_type=external_gte", {"word": "x"}).ok()
        self.assertEqual(self.found(self.verify("--content", code=1)), {"e0": "content"})

    def test_an_index_without_sources_is_not_compared_by_content(self):
        self.make_index(_source={"enabled": False})
        self.write("e0", "w")
        self.program.must("sync")
        self.verify(code=0)
        done = self.program.run("verify", "--content")
        self.assertEqual(done.returncode, 2)
        self.assertIn("leave --content out", done.stderr)

    def test_numbers_that_no_double_holds_are_compared_digit_by_digit(self):
        body = '{"word":"w","raw":[123456789012345678901234567890,1e400,1.10,-0.0,1E2]}'
        self.make_index(properties={"word": {"type": "keyword"}, "raw": {"enabled": False, "type": "object"}})
        self.execute(f"INSERT INTO {self.name} (entity_id, version, body, discarded) VALUES ('n', 1, %s, 0)", (body,))
        self.program.must("sync")
        self.assertEqual(self.program.quarantine(), {})
        self.verify("--content", code=0)


class Refused(Verify):
    def test_another_source_is_a_decision(self):
        self.write_some()
        self.program.must("sync")
        self.execute(TABLE_SQL.format(table=f"{self.name}_other"))
        self.program.edit(f'table = "{self.name}"', f'table = "{self.name}_other"')
        self.refuses(4, "cannot be compared")
        shutil.rmtree(self.program.journal)
        self.refuses(4, "cannot be compared")

    def test_a_history_that_went_back_is_a_decision(self):
        self.write_some()
        self.program.must("sync")
        self.execute(f"DELETE FROM {self.name} WHERE history_id > 5")
        self.refuses(4, "went back")

    def test_servers_that_are_not_there_are_exit_code_3(self):
        self.program.must("sync")
        self.program.edit("[elasticsearch]", "[elasticsearch]\nconnect_timeout = '1s'")
        text = self.program.config.read_text()
        self.program.config.write_text(text.replace(index.url, "http://127.0.0.1:1"))
        self.refuses(3, "127.0.0.1:1")

    def test_an_alias_that_is_not_there_is_a_decision(self):
        self.refuses(4, "there is no alias", "pawl sync")


class Daemon(Verify):
    def test_a_daemon_with_an_interval_verifies_by_itself_and_says_what_differs(self):
        self.write_some()
        with self.program.config.open("a") as config:
            config.write("\n[verify]\ninterval = '1s'\n")
        self.program.pawl.start()
        try:
            said = lambda words: lambda: words in self.program.pawl.log.read_text()
            self.program.wait_for(said("are equal at revision"), "a verification")
            self.program.wait_for(self.last, "status to know it")
            self.assertEqual((self.last()["equal"], self.last()["documents"], self.last()["error"]), (True, 30, None))
            self.put("nobody", 7)
            self.program.wait_for(said("DIFFER at revision"), "a verification that finds it")
            self.program.wait_for(said("1 surplus; the first is nobody"), "what it found")
            self.program.wait_for(lambda: not self.last()["equal"], "status to show it")
            self.assertIn("verified      ", self.program.pawl.text("status"))
            self.assertIn("DIFFERENT: 1 surplus, 31 documents", self.program.pawl.text("status"))
            self.program.pawl.stop()  # at once, though it is at it nearly all the time
        finally:
            self.program.pawl.end()
        last = self.last()  # also of a pawl that does not run
        self.assertEqual({kind: count for kind, count in last["counts"].items() if count}, {"surplus": 1})
        self.assertEqual((last["documents"], last["entities"], last["more_differences"]), (31, 30, False))

    def last(self):
        return self.program.pawl.status("lex")["last_verification"]

    def test_a_daemon_that_cannot_verify_says_so_also_in_status(self):
        self.write_some()
        self.program.must("sync")
        self.assertIsNone(self.last())
        with self.program.config.open("a") as config:
            config.write("\n[verify]\ninterval = '1s'\n")
        self.program.fetch("PUT", f"/{self.name}/_settings", {"index.blocks.read": True})
        self.program.pawl.start()
        try:
            self.program.wait_for(self.last, "saying why")
        finally:
            self.program.pawl.end()
        self.assertIn("cluster_block_exception", self.last()["error"])
        self.assertIn("could not be: ", self.program.pawl.text("status"))


class UnderLoad(Verify):
    def test_many_writers_make_no_false_difference(self):
        self.write_some()
        documents = 0
        with self.running(), self.busy(entities=15, seed=Verify.count) as writers:
            self.program.wait_for(lambda: writers.rows > 200, "some rows")
            under_load = 0
            for run in range(RUNS_MAX):
                before = writers.rows
                report = self.verify(*(["--content"] if run % 2 else []), code=0)
                documents = max(documents, report["looked_at"])
                under_load += writers.rows > before  # on a busy disk no writer may get a row in
                if under_load == RUNS_UNDER_LOAD:
                    break
            self.assertEqual(under_load, RUNS_UNDER_LOAD)
            print(f"{self.name}: {writers.rows} rows while it verified, {documents} suspects at most", file=sys.stderr)
        self.assertGreater(documents, 0)  # the load was one


if __name__ == "__main__":
    unittest.main()
