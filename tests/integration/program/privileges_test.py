#!/usr/bin/python3
"""pawl with a user of few rights, on an Elasticsearch with its security: the documented role is enough, and what a
lesser one lacks is named before it hurts.

    PAWL_BINARY=build/dev/pawl privileges_test.py [Name.test_name]
"""

import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from program import TABLE_SQL, Program

from lab.http import JsonClient
from lab.servers import MariaDB, SearchServer, TemporaryFolder

BINARY = os.environ["PAWL_BINARY"]
SERVER = "elasticsearch-8.19.7"  # OpenSearch's distribution for tests has no security
PASSWORD = "not-a-secret"
WRITING = ["create_index", "view_index_metadata", "manage", "index", "delete"]  # docs/operations.md
READING = ["read"]


def on(names, privileges):
    return {"names": names, "privileges": privileges}


# By the alias of the test that uses it; the user has its name too.
ROLES = {
    "documented": [on(["documented*"], WRITING + READING)],
    "blind": [on(["blind*"], WRITING)],
    "fixed": [on(["fixed"], ["view_index_metadata", "index", "delete", "read"]), on(["fixed-*"], WRITING + READING)],
    "single": [on(["single", "single-2*", "single-pawl-rebuild"], WRITING + READING)],
    "poor": [on(["poor*"], ["view_index_metadata", "index", "delete", "read"])],
    "adopting": [on(["adopting", "own"], WRITING + READING)],
}


def setUpModule():
    global folder, database, index
    folder = unittest.enterModuleContext(TemporaryFolder())
    database = unittest.enterModuleContext(MariaDB(folder / "db"))
    index = unittest.enterModuleContext(SearchServer(SERVER, folder / "search", tls=True))
    database.execute("CREATE DATABASE karp")
    for name, indices in ROLES.items():
        index.add_role(name, {"cluster": ["monitor"], "indices": indices})
        index.add_user(name, PASSWORD, name)
    (folder / "password").touch(0o600)
    (folder / "password").write_text(PASSWORD)


class Privileges(unittest.TestCase):
    def begin(self, name):
        self.connection = database.connect(database="karp")
        self.addCleanup(self.connection.close)
        self.execute(TABLE_SQL.format(table=name))
        self.program = Program(BINARY, folder, name, database, index, table=name)
        self.program.edit("[elasticsearch]\n", f"""[elasticsearch]
ca_file = "{index.certificates.ca}"
user = "{name}"
password_file = "{folder / "password"}"
""")
        user = JsonClient(index.url, name, PASSWORD, index.certificates.ca)
        self.program.wait_for(lambda: user.request("GET", "/_nodes/_local").status == 200, "the server to know its role")
        for number in range(20):
            self.write(f"e{number}", "w")

    def execute(self, sql, arguments=()):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, arguments)

    def write(self, entity, word):
        self.execute(f"INSERT INTO {self.program.table} (entity_id, version, body) VALUES (%s, 1, %s)",
                     (entity, json.dumps({"word": word})))

    def check(self):
        """What `pawl check` complains of: {(verdict, text)}."""
        done = self.program.run("check", "--json")
        found = json.loads(done.stdout)["findings"]
        self.assertEqual(done.returncode, 1 if any(each["verdict"] == "error" for each in found) else 0)
        return {(each["verdict"], each["what"]) for each in found if each["verdict"] != "ok"}

    def refused(self, command, *words):
        done = self.program.run(command)
        self.assertEqual(done.returncode, 2, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def indices(self):
        return set(self.program.fetch("GET", f"/{self.program.name}-*/_settings"))

    def test_the_documented_role_is_enough_for_everything(self):
        self.begin("documented")
        self.assertEqual(self.check(), set())
        self.program.must("sync")
        self.assertEqual(self.check(), set())
        self.program.must("verify", "--content")
        self.program.must("rebuild", "--drop-old")
        self.write("later", "w")
        self.program.must("sync")
        self.program.must("verify", "--repair")
        self.program.check_equal(self.connection)

    def test_without_read_it_feeds_but_does_not_verify_or_rebuild(self):
        self.begin("blind")
        self.program.must("sync")
        [live] = self.indices()
        self.assertEqual(self.check(), {("warning", f"pawl's user has not the privilege read on blind, {live}, "
                                                    "which pawl verify and pawl rebuild need")})
        self.program.check_equal(self.connection)
        self.refused("verify", "indices:data/read", "read")
        self.refused("rebuild", "indices:data/read", "read")
        self.assertEqual(self.indices(), {live})

    def test_without_manage_on_the_alias_it_feeds_and_a_rebuild_ends_before_the_fill(self):
        self.begin("fixed")
        # Somebody else has made the index.
        body = json.loads((self.program.folder / "index.json").read_text())
        self.program.fetch("PUT", "/fixed-1", {**body, "aliases": {"fixed": {}}})
        self.program.must("sync")
        self.assertEqual(self.check(), {("warning", "index fixed-1: index.gc_deletes is 60 s: after an outage longer "
                                                    "than half of that, rows are read again before they are sent"),
                                        ("error", "pawl's user has not the privilege manage on fixed")})
        before = self.program.fetch("GET", "/fixed-1/_alias")
        self.refused("rebuild", "indices:admin/aliases", "[fixed]", "manage")
        self.assertEqual(self.indices(), {"fixed-1"})
        self.assertEqual(self.program.fetch("GET", "/fixed-1/_alias"), before)
        self.program.check_equal(self.connection)

    def test_without_the_alias_that_permits_the_swap_a_rebuild_ends_before_the_fill(self):
        self.begin("single")
        self.program.must("sync")
        [live] = self.indices()
        self.refused("rebuild", "indices:admin/aliases", "manage")
        self.assertEqual(self.indices(), {live})
        self.program.check_equal(self.connection)

    def test_what_may_make_no_index_is_told_before_and_at_the_start(self):
        self.begin("poor")
        found = self.check()
        self.assertEqual(found, {("error", "pawl's user has not the privilege create_index on poor-*"),
                                 ("error", "pawl's user has not the privilege manage on poor, poor-*")})
        self.refused("sync", "indices:admin/create", "create_index")

    def test_what_only_a_later_index_needs_is_a_warning(self):
        self.begin("adopting")
        self.program.fetch("PUT", "/own", {"settings": {"number_of_replicas": 0, "gc_deletes": "1h"},
                                           "aliases": {"adopting": {}}})
        self.program.must("sync")
        found = self.check()
        self.assertEqual({verdict for verdict, _ in found}, {"warning"})
        self.assertIn(("warning", "pawl's user has not the privilege create_index on adopting-*, which pawl rebuild "
                                  "needs, and pawl run when the index was deleted"), found)
        self.program.must("verify")


if __name__ == "__main__":
    unittest.main()
