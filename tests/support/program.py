"""A real pawl with a config, a journal and an alias of its own, on servers that are shared: for tests of the whole."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from lab.compare import compare
from lab.pawl import POLL_SECONDS, Pawl, PawlError, Pipeline, write_config
from lab.servers import MariaDB, SearchServer, TemporaryFolder

RUN_SECONDS_MAX = 60
MAPPING = {
    "settings": {"number_of_replicas": 0},
    "mappings": {"properties": {"word": {"type": "keyword"}, "n": {"type": "integer"}}},
}
TABLE_SQL = """
CREATE TABLE {table} (
  history_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_id VARCHAR(700) NOT NULL, version INT NOT NULL, body LONGTEXT, discarded BOOL,
  UNIQUE (entity_id, version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
"""


def enter_servers(server, mariadb_options=()):
    """In setUpModule: a folder, a MariaDB with the schema karp, and a search server, until the module's end."""
    folder = unittest.enterModuleContext(TemporaryFolder())
    database = unittest.enterModuleContext(MariaDB(folder / "db", list(mariadb_options)))
    database.execute("CREATE DATABASE karp")
    return folder, database, unittest.enterModuleContext(SearchServer(server, folder / "search"))


class Program:
    """`index`: a SearchServer; `database`: a MariaDB with the schema karp; `mariadb`: another way there than its socket."""

    def __init__(self, binary, folder, name, database, index, table="lex", limits="", mode="revision",
                 mariadb=None):  # fmt: skip
        self.folder, self.name, self.table = folder / name, name, table
        self.database, self.index = database, index
        self.folder.mkdir()
        self.config = self.folder / "pawl.toml"
        self.journal = self.folder / "journal"
        self.pipeline = Pipeline("lex", table, name, fields={"_entry_version": "version"},
                                 mode=mode)
        mapping = self.folder / "index.json"
        mapping.write_text(json.dumps(MAPPING))
        mariadb = {"database": "karp", "user": "root"} | (mariadb or {"socket": str(database.socket)})
        write_config(self.config, self.journal, mariadb, [index.url], self.pipeline, mapping)
        with self.config.open("a", encoding="utf-8") as file:
            file.write(f"\n[pipeline.limits]\npoll_interval = '50ms'\n{limits}\n")
        self.pawl = Pawl(binary, self.config, self.folder / "log")
        self.pawl.log.touch()
        self.has_outbox = False  # then a document's version is none of the history's

    def edit(self, before, after):
        """Changes the config; what is replaced must be there."""
        text = self.config.read_text(encoding="utf-8")
        assert before in text, f"{before!r} is not in the config"
        self.config.write_text(text.replace(before, after), encoding="utf-8")

    def run(self, *arguments, failpoint=None, environment=None):
        """Runs a command to its end."""
        everything = dict(os.environ, **(environment or {}))
        if failpoint:
            everything["PAWL_FAILPOINT"] = failpoint
        try:
            return subprocess.run(
                self.pawl.command(*arguments), env=everything, capture_output=True, text=True,
                timeout=RUN_SECONDS_MAX, check=False,
            )
        except subprocess.TimeoutExpired as late:
            said = (late.stderr or b"").decode(errors="replace")
            raise AssertionError(f"{self.name}: {late}\n{said}") from None

    def must(self, *arguments):
        """Runs a command that has to exit 0."""
        done = self.run(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"{self.name}: pawl {' '.join(arguments)} exited with {done.returncode}\n{done.stderr}")
        return done

    @contextlib.contextmanager
    def running(self):
        """`pawl run` as long as the block lasts: its process. What it says is in pawl.log."""
        with self.pawl.log.open("ab") as log, subprocess.Popen(self.pawl.command("run"), stderr=log) as process:
            try:
                self.wait_until_running(process)
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGCONT)
                    process.terminate()

    def wait_until_running(self, process):
        """Until this `pawl run` holds the journal, or has ended."""
        end = time.monotonic() + RUN_SECONDS_MAX
        while process.poll() is None:
            with contextlib.suppress(PawlError):  # there is no journal yet
                if self.pawl.json("status")["running"]:
                    return
            assert time.monotonic() < end, f"{self.name}: pawl does not take its journal"
            time.sleep(POLL_SECONDS)

    def wait_for(self, condition, what, seconds=RUN_SECONDS_MAX):
        """Until `condition()` is true."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{self.name}: {what}: not within {seconds} s\n{self.pawl.log_tail()}"
            time.sleep(POLL_SECONDS)

    def wait_until(self, check, what):
        """Until `check()` raises nothing. The index may be gone for a moment."""
        end = time.monotonic() + RUN_SECONDS_MAX
        while True:
            try:
                return check()
            except (AssertionError, RuntimeError) as wrong:
                if time.monotonic() >= end:
                    raise AssertionError(
                        f"{self.name}: {what}: not within {RUN_SECONDS_MAX} s: {wrong}\n{self.pawl.log_tail()}"
                    ) from None
            time.sleep(POLL_SECONDS)

    def fetch(self, method, path, body=None):
        return self.index.client().request(method, path, body).ok()

    def quarantine(self):
        """{entity: error word}"""
        entries = self.pawl.json("quarantine", "list")["quarantine"]
        return {entry["entity"]: entry["error"] for entry in entries}

    def check_equal(self, connection):
        """The journal owes nothing, and the index is the history less the quarantine. Returns the report."""
        open_batches = self.pawl.open_batches()
        if open_batches:
            raise AssertionError(f"{self.name}: open: {open_batches}")
        report = compare(self.fetch, connection, self.pipeline, self.pawl.quarantined(self.pipeline.name),
                         versions=not self.has_outbox)
        if not report.ok:
            raise AssertionError(f"{self.name}: {report}\n{self.pawl.text('dump')}")
        return report

    def wait_until_equal(self, connection):
        self.wait_until(lambda: self.check_equal(connection), "the index being the history")

    def remove_index(self):
        for index in self.fetch("GET", f"/{self.name}/_alias"):
            self.fetch("DELETE", f"/{index}")
