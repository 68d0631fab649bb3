import json
import math
import os
import pathlib
import unittest
from dataclasses import replace
from unittest import mock

from lab import compare, history
from lab.pawl import Pipeline
from lab.servers import MariaDB, SearchServer, TemporaryFolder

SERVER = os.environ.get("PAWL_TEST_SERVER", "elasticsearch-8.19.7")
PIPELINE = Pipeline(
    name="lex",
    table="lex",
    alias="lex",
    fields={"_entry_version": "version", "_last_modified": "last_modified", "_last_modified_by": "last_modified_by"},
    constants={"_resource_id": "lex", "_weight": 1.5},
)
BODY = {"name": "ord ö 🔧", "list": [1, {"deep": None}], "open": True, "score": 0.1}


class Difference(unittest.TestCase):
    def test_equal_json_values_do_not_differ(self):
        for value in (None, True, 0, -1.5, "é", [], {}, [1, [2, {"a": None}]], 2**63):
            self.assertIsNone(compare.difference(value, json.loads(json.dumps(value))))
        self.assertIsNone(compare.difference({"a": 1, "b": 2}, {"b": 2.0, "a": 1}))

    def test_values_of_other_types_differ(self):
        almost = math.nextafter(0.1, 1)
        for a, b in ((1, True), (0, False), (1, "1"), (None, False), ([], {}), ("", None), (0.1, almost)):
            self.assertIsNotNone(compare.difference({"x": a}, {"x": b}))
            self.assertIsNotNone(compare.difference({"x": b}, {"x": a}))

    def test_it_says_where(self):
        self.assertEqual(
            compare.difference({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}),
            "a[1].b is 3 in the document, 2 in the table",
        )
        self.assertEqual(compare.difference({"a": 1}, {}), "a is missing in the document")
        self.assertEqual(compare.difference({}, {"a": 1}), "a is in the document only")
        self.assertIn("1 elements in the document, 2", compare.difference({"a": [1, 2]}, {"a": [1]}))

    def test_a_column_that_has_no_json_form_here_is_refused(self):
        with self.assertRaisesRegex(TypeError, "bytes"):
            compare.difference(b"x", "x")


class Compare(unittest.TestCase):
    """A right index is made by hand; then each test spoils it in one way."""

    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(cls.enterClassContext(TemporaryFolder("pawl-test-")))
        cls.database = cls.enterClassContext(MariaDB(folder / "db"))
        cls.search = cls.enterClassContext(SearchServer(SERVER, folder / "search"))
        cls.client = cls.search.client()

    def setUp(self):
        self.database.execute("CREATE OR REPLACE DATABASE karp")
        self.connection = self.database.connect(database="karp")
        self.addCleanup(self.connection.close)
        history.create_table(self.connection, "lex")
        history.load(self.connection, "lex", ((f"e{number}", BODY | {"number": number}) for number in range(10)))
        self.insert("e1", 2, "UPDATED", BODY | {"edited": True})
        self.insert("e2", 2, "DELETED")
        self.insert("e3", 2, "DELETED")
        self.insert("e3", 3, "ADDED")
        self.insert("E4", 2, "ADDED")  # another entity than e4, though the collation holds them equal
        self.client.request("DELETE", "/lex-1")
        self.client.put("/lex-1", {"aliases": {"lex": {}}, "mappings": {"dynamic": False}})
        self.addCleanup(self.client.delete, "/lex-1")
        for entity, revision, document in compare.live_rows(self.connection, PIPELINE):
            self.index(entity.decode(), revision, document())

    def insert(self, entity, version, op, body=None):
        with self.connection.cursor() as cursor:
            values = history.row(entity, version, body or BODY, "tester", op)
            cursor.execute(f"INSERT INTO lex {history.COLUMNS}", values)
            return cursor.lastrowid

    def index(self, entity, version, document):
        path = f"/lex-1/_doc/{entity}?version={version}&version_type=external_gte"
        self.client.put(path, document)

    def source(self, entity):
        return self.client.get(f"/lex-1/_doc/{entity}")["_source"]

    def version(self, entity):
        return self.client.get(f"/lex-1/_doc/{entity}")["_version"]

    def compare(self, quarantined=(), pipeline=PIPELINE):
        def fetch(method, path, body):
            return self.client.request(method, path, body).ok()

        with mock.patch.object(compare, "SCROLL_DOCUMENTS", 3):  # several pages
            return compare.compare(fetch, self.connection, pipeline, quarantined)

    def assert_found(self, report, kind, *patterns):
        for each in ("missing", "surplus", "stale", "different"):
            self.assertEqual(len(getattr(report, each)), len(patterns) if each == kind else 0, str(report))
        for found, pattern in zip(sorted(getattr(report, kind)), patterns):
            self.assertRegex(found, pattern)
        self.assertFalse(report.ok)
        self.assertIn(f"{len(patterns)} {kind}", str(report))

    def test_a_right_index_is_equal(self):
        report = self.compare()
        self.assertTrue(report.ok, str(report))
        self.assertEqual((report.live, report.documents, report.equal, report.quarantined), (10, 10, 10, 0))
        self.assertEqual(self.source("e1")["_entry_version"], 2)

    def test_a_document_that_is_not_there_is_missing(self):
        self.client.delete("/lex-1/_doc/e5")
        self.assert_found(self.compare(), "missing", "^e5: ")

    def test_a_document_of_a_deleted_or_unknown_entity_is_surplus(self):
        self.index("e2", 2**60, BODY)
        self.index("unknown", 1, BODY)
        self.assert_found(self.compare(), "surplus", "^e2: ", "^unknown: ")

    def test_ids_that_differ_in_case_are_two_entities(self):
        self.client.delete("/lex-1/_doc/E4")
        self.assert_found(self.compare(), "missing", "^E4: ")

    def test_an_older_or_newer_version_is_stale(self):
        newest = self.insert("e6", 2, "UPDATED")
        self.index("e7", newest + 1, self.source("e7"))
        self.assert_found(self.compare(), "stale", f"^e6: .*latest revision {newest}$", "^e7: ")

    def test_another_content_at_the_right_version_is_different(self):
        for entity, change in {
            "e0": {"open": 1},
            "e1": {"_resource_id": "other"},
            "e3": {"extra": None},
            "e5": {"_last_modified": self.source("e5")["_last_modified"] + 1e-6},
        }.items():
            self.index(entity, self.version(entity), self.source(entity) | change)
        self.assert_found(self.compare(), "different", "open is 1", "_resource_id is", "extra is", "_last_modified is")

    def test_a_table_with_an_outbox_has_a_document_for_each_row_whatever_its_version(self):
        sql = (
            "CREATE TABLE plain AS SELECT lex.* FROM lex JOIN (SELECT MAX(history_id) AS latest FROM lex"
            " GROUP BY CAST(entity_id AS BINARY)) newest ON history_id = latest WHERE NOT discarded"
        )
        self.database.execute(sql, database="karp")
        self.index("e5", 10**9, self.source("e5"))
        pipeline = replace(PIPELINE, table="plain", mode="outbox")
        self.assertTrue(self.compare(pipeline=pipeline).ok, str(self.compare(pipeline=pipeline)))
        self.database.execute("DELETE FROM plain WHERE entity_id = 'e5'", database="karp")
        self.assert_found(self.compare(pipeline=pipeline), "surplus", "^e5: ")

    def test_quarantined_entities_are_left_out_and_counted(self):
        self.client.delete("/lex-1/_doc/e5")
        self.index("e6", 10**9, {})
        report = self.compare(["e5", "e6"])
        self.assertTrue(report.ok, str(report))
        self.assertEqual((report.live, report.documents, report.equal, report.quarantined), (8, 9, 8, 2))


if __name__ == "__main__":
    unittest.main()
