#!/usr/bin/python3
"""`pawl rebuild` on real servers: alone, beside a running daemon, under writes, killed, and where it must not go on.

    PAWL_BINARY=build/dev/pawl PAWL_SERVER=opensearch-2.19.3 rebuild_test.py [Name.test_name]
"""

import contextlib
import datetime
import http.server
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))

from busy import Reader
from program import MAPPING, TABLE_SQL, Program, enter_servers
from proxy import Proxy

BINARY = os.environ["PAWL_BINARY"]
SERVER = os.environ.get("PAWL_SERVER", "elasticsearch-8.19.7")
LIMITS = "checkpoint_interval = '300ms'"
SMALL_BATCHES = "\nbatch_documents = 25"
WRITE_SECONDS = 0.002  # between two rows: a writer that is as fast as it can be is never caught up with
REBUILD_STEPS = ("finish_loading", "swap_alias", "forget_rebuild")
STOPPED = 4


def setUpModule():
    global folder, database, index
    folder, database, index = enter_servers(SERVER)


class Writer:
    """Changes random entities until it is told to stop, and counts them."""

    def __init__(self, write):
        self.write, self.rows = write, 0
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def work(self):
        chance = random.Random(5)
        while not self.stop.is_set():
            self.write(f"e{chance.randrange(400)}", None if chance.random() < 0.2 else f"w{self.rows}")
            self.rows += 1
            self.stop.wait(WRITE_SECONDS)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


class Meddler(http.server.ThreadingHTTPServer):
    """In front of the index: does something to it just before it hears of a request, once."""

    daemon_threads = True

    def __init__(self, method, path, meddle):
        self.method, self.path, self.meddle = method, re.compile(path), meddle
        super().__init__(("127.0.0.1", 0), Between)
        self.url = f"http://127.0.0.1:{self.server_port}"

    def sees(self, method, path):
        match = self.path.fullmatch(path)
        if self.meddle and method == self.method and match:
            meddle, self.meddle = self.meddle, None
            meddle(match.group("index"))

    def __enter__(self):
        threading.Thread(target=self.serve_forever).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Between(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body leave one after the other: else 40 ms an answer

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.sees(self.command, self.path)
        kept = {name: self.headers[name] for name in ("Content-Type", "Content-Encoding") if name in self.headers}
        request = urllib.request.Request(index.url + self.path, body or None, kept, method=self.command)
        try:
            with urllib.request.urlopen(request) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as answer:
            status, text = answer.code, answer.read()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = do_DELETE = pass_on

    def log_message(self, *_):
        pass


def refuse_aliases(method, path, forward):
    """Answers as OpenSearch's security plugin does, which its distribution for tests lacks."""
    if (method, path) != ("POST", "/_aliases"):
        return forward()
    error = {"type": "security_exception", "reason": "no permissions for [indices:admin/aliases] and User [name=pawl, "
             "backend_roles=[], requestedTenant=null]"}
    return 403, "application/json", json.dumps({"error": {"root_cause": [error], **error}, "status": 403}).encode()


class Rebuild(unittest.TestCase):
    count = 0
    limits = LIMITS

    def setUp(self):
        Rebuild.count += 1
        self.name = f"r{Rebuild.count}"
        self.connection = database.connect(database="karp")
        self.addCleanup(self.connection.close)
        self.execute(TABLE_SQL.format(table=self.name))
        self.program = Program(BINARY, folder, self.name, database, index, table=self.name, limits=self.limits)
        self.versions = {}

    def execute(self, sql):
        with self.connection.cursor() as cursor:
            cursor.execute(sql)

    def write(self, entity, word, connection=None):
        """Another version of the entity; without a word it is deleted."""
        self.versions[entity] = self.versions.get(entity, 0) + 1
        with (connection or self.connection).cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {self.name} (entity_id, version, body, discarded) VALUES (%s, %s, %s, %s)",
                (entity, self.versions[entity], json.dumps({"word": word}), word is None),
            )

    def write_some(self, entities=300, edits=2):
        for edit in range(edits):
            for number in range(entities):
                self.write(f"e{number}", f"w{edit}")
        for number in range(0, entities, 10):
            self.write(f"e{number}", None)

    @contextlib.contextmanager
    def writing(self):
        connection = database.connect(database="karp")
        try:
            with Writer(lambda entity, word: self.write(entity, word, connection)) as writer:
                yield writer
        finally:
            connection.close()

    def rebuild(self, *arguments):
        return json.loads(self.program.must("rebuild", "--json", *arguments).stdout)

    def refused(self, code, *words, arguments=()):
        done = self.program.run("rebuild", *arguments)
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def wait_until_equal(self):
        self.program.wait_until_equal(self.connection)

    def indices(self):
        return set(self.program.fetch("GET", f"/{self.name}-*/_settings"))

    def aliases(self):
        return {alias for of in self.program.fetch("GET", "/_alias").values() for alias in of["aliases"]}

    def uuids(self):
        settings = self.program.fetch("GET", f"/{self.name}-*/_settings?flat_settings=true").values()
        return {of["settings"]["index.uuid"] for of in settings}

    def fed_index(self):
        [pipeline] = self.program.pawl.json("dump")["pipelines"]
        return pipeline["target"]["index"]

    def index_name(self, alias=None):
        [name] = self.program.fetch("GET", f"/_alias/{alias or self.name}")
        return name

    def settings(self, alias=None):
        answer = self.program.fetch("GET", f"/{self.index_name(alias)}/_settings?flat_settings=true")
        return next(iter(answer.values()))["settings"]

    def configure(self, mapping):
        (self.program.folder / "index.json").write_text(json.dumps(mapping))

    def assert_clean(self):
        """Nothing of a rebuild is left."""
        left = [path for path in (self.program.journal / "rebuild" / "lex").iterdir() if path.is_dir()]
        self.assertEqual(left, [])
        aliases = next(iter(self.program.fetch("GET", f"/{self.index_name()}/_alias").values()))["aliases"]
        self.assertEqual([name for name in aliases if "pawl-rebuild" in name], [])


class Alone(Rebuild):
    def test_a_new_index_takes_the_place_of_the_old_one_which_is_kept(self):
        self.write_some()
        self.program.must("sync")
        old = self.index_name()
        self.program.fetch("PUT", f"/{old}/_doc/foreign", {"word": "by hand"})
        report = self.rebuild()
        self.assertEqual((report["old_index"], report["began_with"], report["done"]), (old, "begin", True))
        self.assertEqual(report["new_index"], self.index_name())
        self.assertEqual(report["documents"], 270)
        self.assertEqual(self.indices(), {old, report["new_index"]})
        self.assert_clean()
        self.write("e1", "later")
        self.program.must("sync")
        self.program.check_equal(self.connection)
        labels = [incident["label"] for incident in self.program.pawl.status("lex")["incidents"]]
        self.assertEqual(labels, ["R10"])  # from what the new index remembers, not from the beginning

    def test_the_old_index_goes_and_its_other_aliases_move_along(self):
        self.write_some()
        self.program.must("sync")
        old = self.index_name()
        add = {"index": old, "alias": f"{self.name}-words", "filter": {"exists": {"field": "word"}}}
        self.program.fetch("POST", "/_aliases", {"actions": [{"add": add}]})
        report = self.rebuild("--drop-old")
        self.assertTrue(report["old_index_deleted"])
        self.assertEqual(self.indices(), {report["new_index"]})
        self.assertEqual(self.index_name(f"{self.name}-words"), report["new_index"])
        aliases = self.program.fetch("GET", f"/_alias/{self.name}-words")[report["new_index"]]["aliases"]
        self.assertIn("filter", aliases[f"{self.name}-words"])

    def test_the_new_index_ends_with_the_settings_of_the_config(self):
        settings = {"index": {"translog": {"durability": "request"}}, "refresh_interval": "7s"}
        self.configure(dict(MAPPING, settings=settings))
        self.write_some(entities=30)
        self.program.must("sync")
        self.rebuild()
        present = self.settings()
        self.assertEqual(present["index.refresh_interval"], "7s")
        self.assertEqual(present["index.translog.durability"], "request")
        self.assertEqual(present["index.number_of_replicas"], "1")  # the server's own
        self.assertNotIn("index.auto_expand_replicas", present)
        self.assertNotIn("index.translog.flush_threshold_size", present)
        self.assertEqual(present["index.gc_deletes"], "1h")

    def test_a_dry_run_changes_nothing(self):
        self.write_some(entities=30)
        self.program.must("sync")
        before = self.indices()
        outlook = json.loads(self.program.must("rebuild", "--dry-run", "--json").stdout)
        self.assertEqual(outlook["step"], "begin")
        self.assertEqual(outlook["live_documents"], 27)
        self.assertIn("27 documents", self.program.must("rebuild", "--dry-run").stdout)
        self.assertEqual(self.indices(), before)
        self.assertFalse((self.program.journal / "rebuild").exists())

    def test_a_history_that_went_back_gets_an_index_of_its_own(self):
        self.write_some()
        self.program.must("sync")
        self.execute(f"DELETE FROM {self.name} WHERE history_id > 100")
        self.execute(f"ALTER TABLE {self.name} AUTO_INCREMENT = 101")
        self.assertEqual(self.program.run("sync").returncode, STOPPED)
        self.rebuild()
        self.program.must("sync")
        self.program.check_equal(self.connection)


class Counted(Rebuild):
    """What a node lost before the flush, or somebody else did, must be found before readers see it."""

    UNBEATABLE = 10**12

    def setUp(self):
        super().setUp()
        self.write_some()
        self.program.must("sync")
        self.old = self.index_name()

    def lose(self, fresh, entity, version=None):
        """Takes a document away without a trace, or so that none can come in its place."""
        version = version or self.program.fetch("GET", f"/{fresh}/_doc/{entity}")["_version"]
        self.program.fetch("DELETE", f"/{fresh}/_doc/{entity}?version={version}&version_type=external_gte")

    def rebuild_with(self, meddle, *arguments):
        with Meddler("PUT", r"/(?P<index>.+)/_settings", meddle) as between:
            self.program.edit(index.url, between.url)
            done = self.program.run("rebuild", *arguments)
            self.program.edit(between.url, index.url)
        self.assertIsNone(between.meddle, "it was never asked")
        return done

    def test_where_the_count_agrees_nothing_is_compared(self):
        self.assertNotIn("comparing", self.rebuild_with(lambda fresh: None).stderr)
        self.assertNotEqual(self.index_name(), self.old)

    def test_all_is_compared_on_demand(self):
        self.assertIn("comparing", self.rebuild_with(lambda fresh: None, "--verify").stderr)
        self.assertNotEqual(self.index_name(), self.old)

    def test_a_document_that_was_lost_is_sent_again_before_the_swap(self):
        done = self.rebuild_with(lambda fresh: self.lose(fresh, "e1"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("1 entities differ", done.stderr)
        self.program.must("sync")
        self.program.check_equal(self.connection)

    def test_a_document_that_stays_missing_prevents_the_swap(self):
        done = self.rebuild_with(lambda fresh: self.lose(fresh, "e1", self.UNBEATABLE))
        self.assertEqual(done.returncode, STOPPED, done.stderr)
        self.assertIn("such as e1", done.stderr)
        self.assertEqual(self.index_name(), self.old)

    @unittest.skipIf(SERVER.startswith("opensearch"), "OpenSearch does not sum versions")
    def test_a_document_with_another_version_prevents_the_swap_though_all_are_there(self):
        def change(fresh):
            path = f"/{fresh}/_doc/e1?version={self.UNBEATABLE}&version_type=external"
            self.program.fetch("PUT", path, {"word": "by hand"})

        done = self.rebuild_with(change)
        self.assertEqual(done.returncode, STOPPED, done.stderr)
        self.assertIn("such as e1", done.stderr)
        self.assertEqual(self.index_name(), self.old)


class BesideADaemon(Rebuild):
    STILL = 500

    def still_documents(self):
        query = {"query": {"term": {"word": "still"}}}
        return self.program.fetch("POST", f"/{self.name}/_count", query)["count"]

    def test_nothing_is_lost_while_writes_go_on_and_readers_never_see_a_half_index(self):
        for number in range(self.STILL):
            self.write(f"still-{number}", "still")
        self.write_some()
        with self.program.running():
            self.wait_until_equal()
            self.program.wait_for(lambda: self.still_documents() == self.STILL, "a refresh")
            with self.writing() as writer, Reader(self.still_documents) as reader:
                report = self.rebuild("--drop-old")
                reader.look_again()
                at_the_end = writer.rows
                self.program.wait_for(lambda: writer.rows > at_the_end + 200, "writes after the swap")
            self.wait_until_equal()
        self.assertEqual(reader.seen, {self.STILL})
        self.assertEqual(report["new_index"], self.index_name())
        self.assert_clean()

    def test_the_daemon_sees_the_new_index_without_any_write(self):
        self.write_some(entities=30)
        with self.program.running():
            self.wait_until_equal()
            report = self.rebuild()
            self.program.wait_for(
                lambda: self.fed_index() == report["new_index"], "the daemon's seeing it"
            )
            self.wait_until_equal()


class Killed(Rebuild):
    limits = LIMITS + SMALL_BATCHES

    def test_killed_at_each_step_it_goes_on(self):
        for step in REBUILD_STEPS:
            for when in ("before", "after"):
                with self.subTest(f"{when}:{step}"):
                    is_over = (when, step) == ("after", "forget_rebuild")
                    is_swapped = (when, step) in (("after", "swap_alias"), ("before", "forget_rebuild"))
                    self.dies_at(f"{when}:{step}:1", "begin" if is_over else "conclude" if is_swapped else "resume")

    def test_killed_while_it_fills_it_goes_on_with_the_same_index(self):
        self.write_some()
        self.program.must("sync")
        for point, goes_on_with in (
            ("before:create_index:1", "begin"),
            ("after:create_index:1", "resume"),
            ("after:send_bulk:3", "resume"),
            ("before:write_journal/commit_batches:2", "resume"),
        ):
            with self.subTest(point):
                self.dies_at(point, goes_on_with)

    def test_while_it_fills_the_new_index_has_no_refresh_no_replicas_and_an_asynchronous_translog(self):
        self.configure(dict(MAPPING, settings={"number_of_replicas": 1, "refresh_interval": "7s"}))
        self.write_some(entities=60)
        self.program.must("sync")
        self.assertEqual(self.program.run("rebuild", failpoint="after:send_bulk:1").returncode, -signal.SIGKILL)
        loading = self.settings(f"{self.name}-pawl-rebuild")
        self.assertEqual(loading["index.refresh_interval"], "-1")
        self.assertEqual(loading["index.number_of_replicas"], "0")
        self.assertEqual(loading["index.translog.durability"], "async")
        self.rebuild()
        present = self.settings()
        self.assertEqual((present["index.refresh_interval"], present["index.number_of_replicas"]), ("7s", "1"))
        self.assertNotEqual(present.get("index.translog.durability"), "async")

    def wait_for_a_free_name(self):
        """Until the second after which a new index is called is over: else the first request to make one makes none,
        and pawl would be killed before the next."""
        newest = max(name.rpartition("-")[2] for name in self.indices())
        self.program.wait_for(lambda: f"{datetime.datetime.now(datetime.UTC):%Y%m%dt%H%M%Sz}" > newest, "a free name")

    def dies_at(self, point, goes_on_with):
        if not self.versions:
            self.write_some()
            self.program.must("sync")
        self.wait_for_a_free_name()
        died = self.program.run("rebuild", failpoint=point)
        self.assertEqual(died.returncode, -signal.SIGKILL, died.stderr)
        self.write("e1", point)
        self.assertEqual(self.rebuild("--drop-old")["began_with"], goes_on_with)
        self.assert_clean()
        self.program.must("sync")
        self.program.check_equal(self.connection)

    def test_given_up_it_leaves_nothing(self):
        self.write_some()
        self.program.must("sync")
        before = self.indices()
        self.assertEqual(self.program.run("rebuild", failpoint="after:send_bulk:3").returncode, -signal.SIGKILL)
        self.assertNotEqual(self.indices(), before)
        self.assertIn("deleted index", self.program.must("rebuild", "--abort").stdout)
        self.assertEqual(self.indices(), before)
        self.assertIn("no rebuild was under way", self.program.must("rebuild", "--abort").stdout)

    def test_with_another_mapping_it_begins_anew(self):
        self.write_some()
        self.program.must("sync")
        self.assertEqual(self.program.run("rebuild", failpoint="after:send_bulk:3").returncode, -signal.SIGKILL)
        half_filled = self.uuids()
        mapping = json.loads(json.dumps(MAPPING))
        mapping["mappings"]["properties"]["word"]["type"] = "text"
        (self.program.folder / "index.json").write_text(json.dumps(mapping))
        self.assertEqual(self.rebuild()["began_with"], "restart")
        self.assertEqual(len(half_filled & self.uuids()), 1)  # the live one
        self.program.must("sync")
        self.program.check_equal(self.connection)


class Refused(Rebuild):
    limits = LIMITS + SMALL_BATCHES

    def test_a_mapping_that_rejects_documents_leaves_the_live_index_alone(self):
        self.write_some(entities=30)
        self.program.must("sync")
        old = self.index_name()
        mapping = json.loads(json.dumps(MAPPING))
        mapping["mappings"]["properties"]["word"]["type"] = "integer"
        (self.program.folder / "index.json").write_text(json.dumps(mapping))
        self.refused(STOPPED, "more than 5 entities", "quarantine list --journal", arguments=("--max-rejected", "5"))
        self.assertEqual(self.index_name(), old)
        # Asking again does not get around it, not even when nothing is left to be rejected.
        for _ in range(3):
            self.refused(STOPPED, "quarantine list --journal", arguments=("--max-rejected", "5"))
        self.refused(STOPPED, "the new index refuses", arguments=("--max-rejected", "5"))
        self.assertEqual(self.index_name(), old)
        (self.program.folder / "index.json").write_text(json.dumps(MAPPING))
        self.assertEqual(self.rebuild()["began_with"], "restart")

    def test_one_rebuild_at_a_time(self):
        self.write_some(entities=30)
        self.program.must("sync")
        with subprocess.Popen(self.program.pawl.command("rebuild"), stderr=subprocess.DEVNULL) as first:
            self.program.wait_for(lambda: f"{self.name}-pawl-rebuild" in self.aliases(), "the first one's index")
            first.send_signal(signal.SIGSTOP)
            self.refused(STOPPED, "a rebuild of lex", str(first.pid))
            self.refused(STOPPED, "a rebuild of lex", arguments=("--abort",))
            first.send_signal(signal.SIGCONT)
            self.assertEqual(first.wait(), 0)

    def test_a_history_that_goes_back_meanwhile_is_told(self):
        self.write_some(entities=30)
        self.program.must("sync")
        self.assertEqual(self.program.run("rebuild", failpoint="before:swap_alias:1").returncode, -signal.SIGKILL)
        self.execute(f"DELETE FROM {self.name} WHERE history_id > 20")
        self.refused(STOPPED, "--abort")
        self.program.must("rebuild", "--abort")
        self.rebuild()

    def test_columns_that_change_meanwhile_are_no_two_shapes_in_one_index(self):
        self.write_some(entities=60)
        self.program.must("sync")
        old = self.index_name()
        self.assertEqual(self.program.run("rebuild", failpoint="after:send_bulk:2").returncode, -signal.SIGKILL)
        self.execute(f"ALTER TABLE {self.name} MODIFY discarded INT")
        self.write("e1", "later")
        self.refused(STOPPED, "columns have changed", "--abort")
        self.assertEqual(self.index_name(), old)
        self.program.must("rebuild", "--abort")
        self.rebuild()
        self.program.must("sync")
        self.program.check_equal(self.connection)

    def test_what_is_rejected_up_to_the_threshold_is_in_the_daemons_quarantine_later(self):
        self.write_some(entities=30)
        self.write("bad", "w" * 40_000)
        self.program.must("sync")
        self.assertEqual(self.rebuild("--max-rejected", "1")["rejected"], 1)
        self.program.must("sync")
        self.assertEqual(list(self.program.quarantine()), ["bad"])
        self.program.check_equal(self.connection)

    def test_a_rebuild_that_another_journal_began_is_left_alone(self):
        self.write_some(entities=30)
        self.program.must("sync")
        self.assertEqual(self.program.run("rebuild", failpoint="after:send_bulk:1").returncode, -signal.SIGKILL)
        (self.program.journal / "rebuild").rename(self.program.folder / "elsewhere")
        self.refused(STOPPED, "this journal does not know", "--abort")
        self.program.must("rebuild", "--abort")
        self.rebuild()

    def test_an_alias_that_is_moved_meanwhile_is_not_moved_again(self):
        self.write_some(entities=30)
        self.program.must("sync")
        old = self.index_name()
        self.assertEqual(
            self.program.run("rebuild", failpoint="before:swap_alias:1").returncode, -signal.SIGKILL
        )
        self.program.fetch("DELETE", f"/{old}")
        self.refused(2, "no index behind alias")
        self.program.must("sync")
        self.rebuild()
        self.program.must("sync")
        self.program.check_equal(self.connection)

    @contextlib.contextmanager
    def through(self, between):
        with Proxy(index.port, between) as proxy:
            self.program.edit(index.url, proxy.url)
            yield
            self.program.edit(proxy.url, index.url)

    def when_it_has_filled(self, action):
        """Between the fill and the count of its documents, once."""
        return self.after_answer(lambda path: path.startswith("/_cluster/health/"), action)

    def when_it_has_counted(self, action):
        """Between that count and the catching up, once. OpenSearch does not sum versions, so that it is asked again."""
        last = "/_count" if SERVER.startswith("opensearch") else "/_search"
        live = self.index_name()
        return self.after_answer(lambda path: path.endswith(last) and live not in path, action)

    def after_answer(self, is_asked, action):
        left = [action]

        def between(method, path, forward):
            answer = forward()
            if is_asked(path) and left:
                left.pop()()
            return answer

        return self.through(between)

    def test_given_up_by_somebody_else_while_it_confirms_it_says_so(self):
        self.write_some(entities=30)
        self.program.must("sync")
        live, before = self.index_name(), self.uuids()
        with self.when_it_has_filled(self.give_up):
            self.refused(STOPPED, "does not lead to the index any more that was filled")
        self.assertEqual((self.uuids(), self.index_name()), (before, live))
        self.assertEqual(self.rebuild()["began_with"], "begin")

    def test_given_up_by_somebody_else_between_two_feeds_it_makes_no_second_index(self):
        self.write_some(entities=30)
        self.program.must("sync")
        live, before = self.index_name(), self.uuids()
        with self.when_it_has_counted(self.give_up):
            self.refused(2, f"no alias {self.name}-pawl-rebuild")
        self.assertEqual((self.uuids(), self.index_name()), (before, live))
        self.assertEqual(self.rebuild()["began_with"], "begin")

    def test_given_up_and_begun_anew_by_somebody_else_it_does_not_swap_to_what_it_has_not_filled(self):
        self.write_some(entities=30)
        self.program.must("sync")
        live = self.index_name()

        def begin_anew():
            self.give_up()
            aliases = {f"{self.name}-pawl-rebuild": {"is_write_index": True}}
            self.program.fetch("PUT", f"/{self.name}-other", {**MAPPING, "aliases": aliases})

        with self.when_it_has_counted(begin_anew):
            self.refused(STOPPED, "does not lead to the index any more that was filled")
        self.assertEqual(self.index_name(), live)
        self.program.must("rebuild", "--abort")
        self.assertEqual(self.rebuild()["began_with"], "begin")

    def test_a_swap_that_arrives_when_its_call_is_dead_and_the_next_one_goes_on_changes_nothing(self):
        self.write_some(entities=30)
        self.program.must("sync")
        old, asked = self.index_name(), []

        def hold_swap(method, path, forward):
            if (method, path) != ("POST", "/_aliases"):
                return forward()
            asked.append(forward)  # the rehearsal, the permit, the swap
            return forward() if len(asked) < 3 else (503, "application/json", b"{}")

        with self.through(hold_swap):
            self.refused(3, "/_aliases")
        self.write("e1", "later")
        killed = self.program.run("rebuild", failpoint="before:finish_loading:1")
        self.assertEqual(killed.returncode, -signal.SIGKILL)
        status, _, body = asked[2]()
        self.assertEqual((status, self.index_name()), (404, old), body)
        self.assertEqual(self.rebuild()["began_with"], "resume")
        self.program.must("sync")
        self.program.check_equal(self.connection)

    def test_a_deletion_that_arrives_when_its_index_is_the_live_one_changes_nothing(self):
        self.write_some(entities=30)
        self.program.must("sync")
        held = []

        def hold_deletion(method, path, forward):
            if (method, path) != ("POST", "/_aliases"):
                return forward()
            held.append(forward)  # the permits' withdrawal, the deletion
            return forward() if len(held) < 2 else (503, "application/json", b"{}")

        self.assertEqual(self.program.run("rebuild", failpoint="before:swap_alias:1").returncode, -signal.SIGKILL)
        with self.through(hold_deletion):
            self.refused(3, "/_aliases", arguments=("--abort",))
        self.rebuild("--keep-old")
        live, indices = self.index_name(), self.uuids()
        status, _, body = held[1]()
        self.assertEqual((status, self.index_name(), self.uuids()), (404, live, indices), body)
        self.program.must("sync")
        self.program.check_equal(self.connection)

    def give_up(self):
        self.program.fetch("DELETE", "/" + self.index_name(f"{self.name}-pawl-rebuild"))

    def test_without_the_right_to_move_the_alias_it_ends_before_the_fill(self):
        self.write_some(entities=30)
        self.program.must("sync")
        before, aliases = self.uuids(), self.program.fetch("GET", f"/{self.name}-*/_alias")
        with self.through(refuse_aliases):
            self.refused(2, "indices:admin/aliases", "manage")
            self.program.must("sync")  # which needs no such right
        self.assertEqual(self.uuids(), before)
        self.assertEqual(self.program.fetch("GET", f"/{self.name}-*/_alias"), aliases)
        self.assert_clean()
        self.assertEqual(self.rebuild()["began_with"], "begin")

    def test_without_an_index_to_replace_there_is_nothing_to_do(self):
        self.write_some(entities=3)
        self.refused(2, "no index behind alias", "pawl run")
        self.refused(2, "has no pipeline", arguments=("--pipeline", "other"))
        self.refused(2, "contradict", arguments=("--drop-old", "--keep-old"))


if __name__ == "__main__":
    unittest.main()
