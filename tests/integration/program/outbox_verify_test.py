#!/usr/bin/python3
"""pawl verify of a table with an outbox: what it finds, what it must not find, and what --repair heals.

    PAWL_BINARY=build/dev/pawl PAWL_SERVER=opensearch-2.19.3 outbox_verify_test.py [Name.test_name]
"""

import json
import pathlib
import shutil
import sys
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

import outbox_test
from program import MAPPING

setUpModule = outbox_test.setUpModule
HIGH_VERSION = 1_000_000


class Verify(outbox_test.OutboxTest):
    def document(self, method, entity, parameters="", body=None):
        quoted = urllib.parse.quote(entity, safe="")
        return self.program.index.client().request(
            method, f"/{self.name}/_doc/{quoted}?refresh=true&{parameters}", body)

    def version_of(self, entity):
        return self.document("GET", entity).ok()["_version"]

    def spoil(self, entity, version=None, word="by hand"):
        """Another document, with the version kept."""
        version = self.version_of(entity) if version is None else version
        self.document("PUT", entity, f"version={version}&version_type=external_gte",
                      {"id": entity, "word": word, "n": "1"}).ok()

    def take_out(self, entity):
        self.document("DELETE", entity, f"version={self.version_of(entity)}&version_type=external_gte").ok()

    def verify(self, *arguments, code=None):
        """The one pipeline's report."""
        done = self.program.run("verify", "--json", *arguments)
        self.assertIn(done.returncode, (0, 1) if code is None else (code,), done.stderr + done.stdout)
        report = json.loads(done.stdout)
        self.assertEqual(report["equal"], done.returncode == 0)
        return report["pipelines"][0]

    def found(self, report):
        return {each["entity"]: each["kind"] for each in report["differences"]}

    def outcomes(self, report):
        return {each["entity"]: each["outcome"] for each in report["differences"]}

    def refuses(self, code, *words):
        done = self.program.run("verify")
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def plant_all(self):
        """One difference of each kind, in documents that are in step. Returns {entity: kind}."""
        self.take_out("missing")
        self.spoil("content")
        self.spoil("filled")
        self.spoil("foreign", HIGH_VERSION, "w")  # the right document
        self.spoil("nobody", 1)
        self.spoil("nobody high", HIGH_VERSION)
        return {"missing": "missing", "content": "content", "filled": "content", "foreign": "foreign",
                "nobody": "surplus", "nobody high": "surplus"}

    def put_for_planting(self):
        self.put("filled", "w")
        self.write_some()
        self.install()
        self.program.must("sync")
        for entity in ("missing", "content", "foreign"):
            self.put(entity, "w")
        self.program.must("sync")


class Equal(Verify):
    def test_an_index_that_pawl_has_filled_and_fed_is_equal(self):
        self.write_some()
        self.put("bad", "x", n="no number")
        self.put("e" * 30, "w")
        self.install()
        self.program.must("sync")
        self.put("e0", "changed")
        self.remove("e1")
        self.program.must("sync")
        report = self.verify(code=0)
        self.assertEqual((report["documents"], report["entities"], report["quarantined"]), (20, 20, 1))
        self.assertEqual((report["unsettled"], report["buckets_differing"]), (0, 0))
        self.assertEqual((report["source"], report["content"]), ("table", True))
        self.assertIn("lex: equal; 20 documents", self.program.must("verify").stdout)

    def test_what_waits_in_the_outbox_is_no_difference(self):
        self.write_some()
        self.install()
        self.program.must("sync")
        self.put("e0", "later")
        self.put("new", "later")
        self.remove("e1")
        report = self.verify(code=0)
        self.assertEqual(report["unsettled"], 3)
        self.program.must("sync")
        self.assertEqual(self.verify(code=0)["unsettled"], 0)

    def test_without_a_journal_what_is_owed_is_left_out(self):
        self.write_some()
        self.install()
        self.program.must("sync")
        self.put("bad", "x", n="no number")
        self.program.must("sync")
        shutil.rmtree(self.program.journal)
        report = self.verify(code=0)
        self.assertEqual((report["quarantined"], report["documents"], report["unsettled"]), (1, 20, 0))
        self.assertFalse(self.program.journal.exists())  # looking makes none

    def test_a_table_without_rows(self):
        self.install()
        self.program.must("sync")
        self.assertEqual(self.verify(code=0)["documents"], 0)

    def test_a_first_fill_that_is_not_over_is_not_compared(self):
        self.write_some()
        self.install()
        self.assertNotEqual(self.program.run("sync", failpoint="before:send_bulk:1").returncode, 0)
        self.refuses(4, "is still being filled")
        self.program.must("sync")
        self.verify(code=0)

    def test_what_the_mapping_keeps_out_of_the_source_is_left_out_and_it_says_so(self):
        body = json.loads(json.dumps(MAPPING))
        body["mappings"]["_source"] = {"excludes": ["word"]}
        (self.program.folder / "index.json").write_text(json.dumps(body))
        self.write_some()
        self.install()
        self.program.must("sync")
        self.assertEqual(self.verify(code=0)["left_out"], ["word"])
        self.spoil("e0")
        self.verify(code=0)
        self.document("PUT", "e0", "version=0&version_type=external_gte", {"id": "e0", "n": "2"}).ok()
        self.assertEqual(self.found(self.verify(code=1)), {"e0": "content"})

    def test_an_index_without_sources_is_compared_by_which_entities_are_there(self):
        body = json.loads(json.dumps(MAPPING))
        body["mappings"]["_source"] = {"enabled": False}
        (self.program.folder / "index.json").write_text(json.dumps(body))
        self.write_some()
        self.install()
        self.program.must("sync")
        report = self.verify(code=0)
        self.assertEqual(report["content"], False)
        self.take_out("e0")
        self.assertEqual(self.found(self.verify(code=1)), {"e0": "missing"})
        self.verify("--repair", code=0)


class Different(Verify):
    def test_each_kind_is_found_while_writers_and_the_daemon_go_on_and_healed_by_the_daemon(self):
        self.put_for_planting()
        with self.running():
            planted = self.plant_all()
            with self.busy():
                for _ in range(2):
                    self.assertEqual(self.found(self.verify(code=1)), planted)
                report = self.verify("--repair", code=1)
                self.assertEqual(self.outcomes(report), {entity: "healed" for entity in planted} | {"foreign": "open"})
            self.program.wait_for(lambda: self.rows_of_outbox() == (), "the outbox to be empty")
            self.assertEqual(self.found(self.verify(code=1)), {"foreign": "foreign"})
            self.document("DELETE", "foreign", f"version={HIGH_VERSION}&version_type=external_gte").ok()
        self.assertEqual(self.program.quarantine(), {})

    def test_without_a_daemon_repair_catches_up_by_itself(self):
        self.put_for_planting()
        planted = self.plant_all()
        self.assertEqual(self.found(self.verify(code=1)), planted)
        report = self.verify("--repair", code=1)
        self.assertEqual({each["entity"] for each in report["differences"] if each["outcome"] != "healed"}, {"foreign"})
        self.assertEqual(self.found(self.verify(code=1)), {"foreign": "foreign"})
        self.assertEqual(self.rows_of_outbox(), ())
        self.assertEqual(self.program.quarantine(), {})

    def test_what_was_deleted_by_hand_comes_back_above_its_tombstone(self):
        self.put_for_planting()
        self.document("DELETE", "missing").ok()
        report = self.verify("--repair", code=0)
        self.assertEqual(self.outcomes(report), {"missing": "healed"})
        self.check_equal()

    def test_a_repair_is_beaten_by_a_change_that_had_a_lower_id_and_commits_later(self):
        self.put_for_planting()
        self.spoil("content")
        self.spoil("filled")
        late = outbox_test.database.connect(database="karp")
        self.addCleanup(late.close)
        late.begin()
        self.put("content", "late", connection=late)
        self.remove("filled", connection=late)
        with self.running():
            self.verify("--repair", code=0)
            self.assertEqual((self.documents()["content"], self.documents()["filled"]), ("w", "w"))
            late.commit()
            self.wait_until_equal()
        self.assertEqual(self.documents()["content"], "late")
        self.verify(code=0)

    def test_a_repair_that_another_pawl_carries_out(self):
        self.put_for_planting()
        other = self.another("elsewhere")
        with self.running(other):
            self.program.wait_for(lambda: (self.status(other) or {}).get("condition") == "RUNNING", "the other")
            self.take_out("missing")
            self.spoil("nobody", 1)
            self.verify("--repair", code=0)
        self.check_equal(other)

    def test_a_document_that_the_index_refuses_goes_to_quarantine(self):
        self.put_for_planting()
        self.execute(f"DROP TRIGGER pawl_{self.name}_update")
        self.put("content", "w", n="no number")
        self.install()
        report = self.verify("--repair", code=1)
        self.assertEqual(self.outcomes(report), {"content": "quarantined"})
        self.assertEqual(list(self.program.quarantine()), ["content"])

    def test_changes_that_no_trigger_saw_are_found_and_healed(self):
        self.put_for_planting()
        self.execute(f"TRUNCATE {self.name}")
        self.assertEqual(set(self.found(self.verify(code=1)).values()), {"surplus"})
        self.verify("--repair", code=0)
        self.assertEqual(self.documents(), {})
        self.check_equal()

    def test_a_thousand_differences_are_all_found_and_healed(self):
        values = ", ".join(f"('m{number}', 'w', '1')" for number in range(1500))
        self.execute(f"INSERT INTO {self.name} VALUES {values}")
        self.install()
        self.program.must("sync")
        self.documents()
        lines = [{"delete": {"_id": f"m{number}", "version": 0, "version_type": "external_gte"}} for number in range(1000)]
        self.assertFalse(outbox_test.index.client().bulk(lines, f"/{self.name}/_bulk?refresh=true")["errors"])
        self.assertEqual(self.verify(code=1)["counts"]["missing"], 1000)
        self.verify("--repair", code=0)
        self.assertEqual(self.verify(code=0)["documents"], 1500)

    def test_the_text_names_the_differences_and_what_to_do(self):
        self.put_for_planting()
        self.plant_all()
        done = self.program.run("verify")
        self.assertEqual(done.returncode, 1)
        for words in ("lex: DIFFERENT: 1 missing, 2 content, 2 surplus, 1 foreign", "table has", "a row", "1000000",
                      "pawl verify --repair --pipeline lex", "above the outbox"):
            self.assertIn(words, done.stdout)


class Keys(Verify):
    def test_ids_that_the_collation_holds_equal_and_ids_that_want_escaping(self):
        self.execute(f"ALTER TABLE {self.name} MODIFY id VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin")
        names = ["abc", "ABC", "abc ", "åäö", "it's", 'a"b', "a\\b", "%", "' OR 1=1 -- ", "\U0001f600", "a\nb"]
        for name in names:
            self.put(name, "w")
        self.install()
        self.program.must("sync")
        self.assertEqual(self.verify(code=0)["documents"], len(names))
        surplus = [name + "x" for name in names] + ["aBc", "y" * 60]
        for name in surplus:
            self.spoil(name, 1)
        self.take_out("ABC")
        self.spoil("abc ")
        report = self.verify(code=1)
        self.assertEqual(self.found(report), {**{name: "surplus" for name in surplus}, "ABC": "missing", "abc ": "content"})
        self.verify("--repair", code=0)
        self.assertEqual(self.verify(code=0)["documents"], len(names))

    def test_a_document_whose_id_is_merely_equal_by_the_collation_is_surplus(self):
        self.put("abc", "w")
        self.install()
        self.program.must("sync")
        self.spoil("ABC", 1)
        self.assertEqual(self.found(self.verify("--repair", code=0)), {"ABC": "surplus"})
        self.assertEqual(self.documents(), {"abc": "w"})

    def test_a_key_of_a_number_and_a_text_and_documents_whose_ids_do_not_fit_it(self):
        self.execute(f"DROP TABLE {self.name}")
        self.execute(f"CREATE TABLE {self.name} (a INT NOT NULL, b VARCHAR(9) CHARACTER SET latin1 NOT NULL, "
                     "word VARCHAR(20), n INT, PRIMARY KEY (b, a)) ENGINE=InnoDB")
        self.program.edit('entity = "id"', 'entity = "{a}/{b}"')
        for key in ((1, "x"), (1, "å"), (-7, "")):
            self.execute(f"INSERT INTO {self.name} VALUES (%s, %s, 'w', 1)", key)
        self.install()
        self.program.must("sync")
        self.assertEqual(self.verify(code=0)["documents"], 3)
        surplus = ["nonsense", "01/x", "1/x/y", "2/x", "x/1", "1/\U0001f600", "1/0123456789"]
        for name in surplus:
            self.spoil(name, 1)
        self.take_out("1/å")
        self.document("PUT", "-7/", "version=0&version_type=external_gte", {"word": "by hand"}).ok()
        report = self.verify(code=1)
        self.assertEqual(self.found(report), {**{name: "surplus" for name in surplus}, "1/å": "missing", "-7/": "content"})
        self.verify("--repair", code=0)
        self.assertEqual(self.verify(code=0)["documents"], 3)
        self.assertEqual(self.rows_of_outbox(), ())

    def test_documents_of_a_view(self):
        self.execute(f"CREATE VIEW {self.name}_view AS SELECT id, CONCAT(word, '!') AS word, n FROM {self.name} "
                     "WHERE word <> 'hidden'")
        self.program.edit('entity = "id"', f'entity = "id"\nview = "{self.name}_view"')
        self.write_some()
        self.put("hidden", "hidden")
        self.install()
        self.program.must("sync")
        self.assertEqual(self.documents()["e0"], "w!")
        self.assertEqual(self.verify(code=0)["documents"], 20)
        self.take_out("e0")
        self.spoil("e1")
        self.spoil("hidden", 1)
        report = self.verify("--repair", code=0)
        self.assertEqual(self.found(report), {"e0": "missing", "e1": "content", "hidden": "surplus"})
        self.assertEqual(self.verify(code=0)["documents"], 20)


class Daemon(Verify):
    def test_a_daemon_verifies_by_itself_now_and_then(self):
        self.put_for_planting()
        self.spoil("content")
        with self.program.config.open("a", encoding="utf-8") as file:
            file.write("\n[verify]\ninterval = '1s'\n")
        with self.running():
            def counts():
                record = self.status()["last_verification"]
                return record["counts"] if record and not record["error"] else None
            self.program.wait_for(counts, "a verification")
            self.assertEqual(counts()["content"], 1)
            self.verify("--repair", code=0)
            self.program.wait_for(lambda: counts()["content"] == 0, "another one")

    def test_writers_and_a_daemon_are_never_told_to_differ(self):
        self.write_some()
        self.install()
        with self.running():
            self.wait_until_equal()
            with self.busy():
                for _ in range(5):
                    self.assertEqual(self.found(self.verify(code=0)), {})
            self.wait_until_equal()
        self.verify(code=0)


if __name__ == "__main__":
    unittest.main()
