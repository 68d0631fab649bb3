#!/usr/bin/python3
"""pawl as its users meet it: what it says, how it exits, and what is in the index afterwards.

    PAWL_BINARY=build/dev/pawl program_test.py [Name.test_name]
"""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from program import RUN_SECONDS_MAX, TABLE_SQL, Program, enter_servers

from lab.servers import MariaDB

BINARY = os.environ["PAWL_BINARY"]
STOP_SECONDS_MAX = 5


def setUpModule():
    global folder, database, index
    folder, database, index = enter_servers("elasticsearch-8.19.7", ["--max-allowed-packet=64M"])


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class ProgramTest(unittest.TestCase):
    count = 0

    def setUp(self):
        ProgramTest.count += 1
        name = f"t{ProgramTest.count}"
        self.connection = database.connect(database="karp")
        self.addCleanup(self.connection.close)
        self.execute(TABLE_SQL.format(table=name))
        self.program = Program(BINARY, folder, name, database, index, table=name)

    def execute(self, sql, arguments=()):
        with self.connection.cursor() as cursor:
            cursor.execute(sql, arguments)
            return cursor.fetchall()

    def insert(self, entity, body, discarded=0, version=1):
        body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        self.execute(
            f"INSERT INTO {self.program.table} (entity_id, version, body, discarded) VALUES (%s, %s, %s, %s)",
            (entity, version, body, discarded),
        )

    def assert_says(self, done, code, *words):
        """The exit code, and that every word is said on stderr."""
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def source(self, entity):
        return self.program.fetch("GET", f"/{self.program.name}/_doc/{entity}")["_source"]


class Documents(ProgramTest):
    def test_what_makes_no_document_goes_to_quarantine_and_holds_up_nothing(self):
        self.insert("good", {"word": "a"})
        self.insert("array", "[1]")
        self.insert("no-json", "{")
        self.insert("twice", {"_entry_version": 1})
        self.insert("", {"word": "a"})
        self.insert("x" * 513, {"word": "a"})
        self.insert("too-long-a-number", {"n": 10**12})
        self.insert("immense", {"word": "w" * 40_000})
        self.insert("empty-key", {"": 1})
        self.insert("also-good", {"word": "b"})
        self.program.must("sync")
        found = self.program.quarantine()
        self.assertEqual(found["array"], "invalid_body")
        self.assertEqual(found["no-json"], "invalid_body")
        self.assertEqual(found["twice"], "key_twice")
        self.assertEqual(found[""], "entity_empty")
        self.assertEqual(found["x" * 513], "entity_too_long")
        self.assertIn("too-long-a-number", found)
        self.assertIn("immense", found)
        self.assertIn("empty-key", found)
        self.assertEqual(len(found), 8)
        self.program.check_equal(self.connection)

    def test_any_text_in_a_body_and_in_an_id_arrives(self):
        bodies = {
            "newlines": '{\n\r\n "word" :\n "a b" \n}\n',
            "escapes": json.dumps({"word": "\0 \x1f \\ \" \u2028 語 🔧"}),
            "é 語 🔧": json.dumps({"word": "é"}),
            "quotes\"'\\`": "{}",
            "control\tcharacters\n\x01": '{"word":"x"}',
            "abc": '{"word":"lower"}',
            "ABC": '{"word":"upper"}',
            "abc ": '{"word":"space"}',
        }
        # The unique key is (entity_id, version): what the collation holds equal needs another version.
        for version, (entity, body) in enumerate(bodies.items(), 1):
            self.insert(entity, body, version=version)
        self.program.must("sync")
        self.assertEqual(self.program.quarantine(), {})
        self.program.check_equal(self.connection)

    def test_a_body_of_20_megabytes_arrives(self):
        self.insert("large", {"text": "x" * 20_000_000})
        self.insert("small", {"word": "a"})
        self.program.must("sync")
        self.program.check_equal(self.connection)

    def test_a_newer_row_leaves_quarantine_by_itself(self):
        self.insert("e", {"n": "no number"})
        self.program.must("sync")
        self.assertIn("e", self.program.quarantine())
        self.insert("e", {"n": 1}, version=2)
        self.program.must("sync")
        self.assertEqual(self.program.quarantine(), {})
        self.assertEqual(self.source("e")["n"], 1)

    def test_a_delete_and_a_null_that_is_none(self):
        self.insert("gone", {"word": "a"})
        self.insert("stays", {"word": "a"}, discarded=None)
        self.insert("gone", {"word": "a"}, discarded=1, version=2)
        self.program.must("sync")
        self.program.check_equal(self.connection)

    def test_a_deleted_index_is_made_again(self):
        self.insert("e", {"word": "a"})
        self.program.must("sync")
        self.program.remove_index()
        self.insert("f", {"word": "b"})
        self.program.must("sync")
        self.program.check_equal(self.connection)


class Servers(ProgramTest):
    def test_an_index_that_is_down_ends_sync_with_3(self):
        self.program.edit(index.url, f"http://127.0.0.1:{free_port()}")
        self.assert_says(self.program.run("sync"), 3, "Failed to connect", "elasticsearch.urls")

    def test_a_database_that_is_down_ends_sync_with_3(self):
        self.program.edit(str(database.socket), str(folder / "no.sock"))
        self.assert_says(self.program.run("sync"), 3, "no.sock")

    def test_a_wrong_password_names_the_user(self):
        database.create_user("pawl", "right", ["SELECT ON karp.*"])
        self.program.edit('user = "root"', 'user = "pawl"\npassword = "${PAWL_TEST_PASSWORD}"')
        done = self.program.run("sync", environment={"PAWL_TEST_PASSWORD": "hunter2"})
        self.assert_says(done, 2, "pawl", "denied")
        self.assertNotIn("hunter2", done.stderr + done.stdout)

    def test_a_table_without_the_column_names_the_near_ones(self):
        self.program.edit('"history_id"', '"histori_id"')
        self.assert_says(self.program.run("sync"), 2, "histori_id", "history_id")

    def test_a_plain_index_in_place_of_the_alias_is_refused(self):
        self.program.fetch("PUT", f"/{self.program.name}", {})
        self.assert_says(self.program.run("sync"), 2, self.program.name, "alias")

    def test_run_waits_for_servers_catches_up_and_stops_in_time(self):
        self.insert("e", {"word": "a"})
        with MariaDB(folder / "late") as late:
            late.execute("CREATE DATABASE karp", TABLE_SQL.format(table=f"karp.{self.program.table}"))
            late.execute(
                f"INSERT INTO karp.{self.program.table} (entity_id, version, body) VALUES ('late', 1, '{{}}')"
            )
            late.stop()
            self.program.edit(str(database.socket), str(late.socket))
            with subprocess.Popen(self.program.pawl.command("run"), stderr=subprocess.PIPE, text=True) as process:
                self.program.wait_until_running(process)
                late.start()
                self.program.wait_for(lambda: self.count_committed() == 1, "catching up")
                began = time.monotonic()
                process.send_signal(signal.SIGTERM)
                stderr = process.communicate(timeout=RUN_SECONDS_MAX)[1]
        self.assertEqual(process.returncode, 0, stderr)
        self.assertLess(time.monotonic() - began, STOP_SECONDS_MAX)

    def count_committed(self):
        status = self.program.pawl.status("lex")
        return status["high"] if status else 0


class Journal(ProgramTest):
    def test_a_second_pawl_is_refused_and_told_the_first_ones_pid(self):
        with subprocess.Popen(self.program.pawl.command("run"), stderr=subprocess.DEVNULL) as process:
            self.program.wait_until_running(process)
            self.assert_says(self.program.run("sync"), 4, str(process.pid))
            process.terminate()
        self.assertEqual(process.returncode, 0)

    def test_a_journal_cut_short_is_refused_and_dumped_as_far_as_it_goes(self):
        self.insert("e", {"word": "a"})
        self.program.must("sync")
        # LMDB's two meta pages and one more: half of the file may be all that is in use.
        os.truncate(self.program.journal / "data.mdb", 3 * os.sysconf("SC_PAGE_SIZE"))
        self.assert_says(self.program.run("sync"), 4, "journal")
        self.assertEqual(self.program.run("dump").returncode, 1)

    def test_a_journal_with_flipped_bits_is_refused(self):
        self.insert("e", {"word": "a"})
        self.program.must("sync")
        self.damage_journal()
        self.assert_says(self.program.run("sync"), 4, "journal")
        done = self.program.run("dump")
        self.assertEqual(done.returncode, 1)
        self.assertIn("checksum", done.stdout)

    def damage_journal(self):
        """Bits of a record, after which the file cannot be trusted; the damaged bytes."""
        data = self.program.journal / "data.mdb"
        content = data.read_bytes().replace(b"karp", b"kArp")  # of the live record and of older copies of it
        data.write_bytes(content)
        return content

    def set_aside(self):
        return sorted(self.program.journal.glob("data.mdb.damaged-*"))

    def test_a_damaged_journal_is_discarded_by_an_operators_word_and_kept_under_another_name(self):
        self.insert("e", {"word": "a"})
        self.insert("gone", {"word": "a"})
        self.program.must("sync")
        damaged = self.damage_journal()
        self.insert("e", {"word": "b"}, version=2)
        self.insert("gone", {}, discarded=1, version=2)
        self.assert_says(self.program.run("sync"), 4, "is damaged", "pawl recover --discard-journal")
        self.assertEqual(self.set_aside(), [])
        report = json.loads(self.program.must("recover", "--discard-journal", "--json").stdout)
        [kept] = self.set_aside()
        self.assertEqual(report["discarded_journal"]["file"], str(kept))
        self.assertIn("checksum", report["discarded_journal"]["damage"])
        self.assertEqual(report["pipelines"][0]["steps"][0]["row"], "R03")  # from what the index remembers
        self.assertEqual(kept.read_bytes(), damaged)
        self.assertEqual(kept.stat().st_mode & 0o777, 0o600)
        self.assertIsNone(json.loads(self.program.must("sync", "--json").stdout)["discarded_journal"])
        self.program.check_equal(self.connection)
        self.assertEqual(self.source("e")["word"], "b")
        self.assertEqual(self.set_aside(), [kept])

    def test_a_damaged_journal_is_discarded_when_the_config_says_so_and_a_sound_one_is_not(self):
        self.program.edit("[journal]\n", '[journal]\non_damage = "discard"\n')
        self.insert("e", {"word": "a"})
        self.program.must("sync")
        self.program.must("sync")
        self.assertEqual(self.set_aside(), [])
        damaged = self.damage_journal()
        self.insert("f", {"word": "b"})
        done = self.program.must("sync")
        [kept] = self.set_aside()
        self.assertIn(str(kept), done.stdout)
        self.assertIn(str(kept), done.stderr)  # the log
        self.assertEqual(kept.read_bytes(), damaged)
        self.program.check_equal(self.connection)

    def test_a_running_pawls_journal_is_not_discarded(self):
        self.insert("e", {"word": "a"})
        with subprocess.Popen(self.program.pawl.command("run"), stderr=subprocess.DEVNULL) as process:
            self.program.wait_until_running(process)
            self.assert_says(self.program.run("recover", "--discard-journal"), 4, str(process.pid))
            process.terminate()
        self.assertEqual(self.set_aside(), [])

    def test_a_journal_path_that_is_no_folder_is_refused(self):
        self.program.journal.write_text("")
        self.assert_says(self.program.run("sync"), 4, str(self.program.journal))

    def test_a_full_disk_stops_with_nothing_lost(self):
        self.program.journal.mkdir(mode=0o700)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", self.program.journal], check=True)
        self.addCleanup(subprocess.run, ["umount", self.program.journal], check=True)
        for entity in range(300):  # enough batches for 64 KiB to be too little
            self.insert(f"e{entity}", {"word": "a"})
        self.program.edit("poll_interval", "batch_documents = 1\npoll_interval")
        self.assert_says(self.program.run("sync"), 4, "journal")
        subprocess.run(["mount", "-o", "remount,size=16m", self.program.journal], check=True)
        self.program.must("sync")
        self.program.check_equal(self.connection)

    def test_recover_tells_what_it_found(self):
        self.insert("e", {"word": "a"})
        died = self.program.run("sync", failpoint="after:send_bulk:1")
        self.assertEqual(died.returncode, -signal.SIGKILL)
        dump = self.program.run("dump")
        self.assertEqual(dump.returncode, 0)
        self.assertIn("INTENT", dump.stdout)
        done = self.program.must("recover")
        self.assertIn("R08", done.stdout)
        self.assertIn("lex/1", done.stdout)
        self.program.check_equal(self.connection)


class Quarantine(ProgramTest):
    def test_retry_reaches_a_running_pawl(self):
        self.insert("e", {"strange": {"deep": 1}})
        self.insert("f", {"strange": 1})
        with subprocess.Popen(self.program.pawl.command("run"), stderr=subprocess.DEVNULL) as process:
            self.program.wait_until_running(process)
            self.program.wait_for(lambda: "f" in self.program.quarantine(), "quarantine")
            self.program.must("quarantine", "retry", "--all")
            attempts = lambda: self.program.pawl.json("quarantine", "list")["quarantine"][0]["attempts"]
            self.program.wait_for(lambda: attempts() == 2, "another try")
            self.program.must("quarantine", "drop", "--all")
            self.program.wait_for(lambda: not self.program.quarantine(), "drop")
            process.terminate()
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
