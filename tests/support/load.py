"""A history that several writers change, a pawl that keeps an index in step with it, and the looks that a test takes:
at every document, at what must never rise again, at the daemon's memory and descriptors."""

import http.client
import json
import pathlib
import random
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from lab import history
from lab.compare import compare
from lab.pawl import Pawl, Pipeline, write_config

ENTITIES = 2_000
WRITERS = 4
CAUGHT_UP_SECONDS_MAX = 120
LOOK_SECONDS = 0.1
BURIED_WATCHED_MAX = 1_000
BODY_BYTES = 200
TABLE, ALIAS, DATABASE = "lex", "lex", "karp"
# As short as pawl accepts: a tombstone is gone before a server is back, so that a stale row could do its harm.
GC_DELETES_SECONDS = 10
PIPELINE = Pipeline("lex", TABLE, ALIAS, fields={"_entry_version": "version", "_op": "op"})


class Load:
    """`database`: a MariaDB; `index`: a SearchServer that answers questions of the test, by `client()`; `mariadb` and
    `urls`: how pawl gets there. A context manager: leaving it ends pawl and the writers."""

    def __init__(self, binary, folder, database, index, seed, *, mariadb=None, urls=None, replicas=0, limits="",
                 timeout_seconds=2):  # fmt: skip
        self.folder, self.database, self.index = folder, database, index
        self.binary, self.limits, self.replicas, self.timeout_seconds = binary, limits, replicas, timeout_seconds
        self.mariadb = mariadb or {"socket": str(database.socket), "user": "root"}
        self.urls = urls or [index.url]
        self.random = random.Random(f"{seed}/load")
        self.entities = [f"entity-{number}" for number in range(ENTITIES)]
        database.execute(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        self.connection = self.connect()
        history.create_table(self.connection, TABLE)
        history.load(self.connection, TABLE, ((entity, self.body()) for entity in self.entities))
        self.writers = history.Writers(self.connect, TABLE, self.entities, WRITERS, seed, reconnect=True)
        self.pawl = self.new_pawl("pawl")
        self.resources = Resources()

    def __enter__(self):
        self.writers.__enter__()
        return self

    def __exit__(self, *what):
        self.resources.end()
        self.pawl.end()
        self.writers.__exit__(*what)

    def connect(self):
        return self.database.connect(database=DATABASE)

    def body(self):
        return {"word": f"w{self.random.randrange(10**6)}", "text": "x" * self.random.randrange(2 * BODY_BYTES)}

    def new_pawl(self, name):
        """A pawl with a journal of its own, on the same table and alias."""
        config, mapping = self.folder / f"{name}.toml", self.folder / "index.json"
        settings = {"number_of_replicas": self.replicas, "index.gc_deletes": f"{GC_DELETES_SECONDS}s"}
        mapping.write_text(json.dumps({"settings": settings}))
        timeouts = {"connect_timeout": f"{self.timeout_seconds}s", "read_timeout": f"{self.timeout_seconds}s"}
        mariadb = {"database": DATABASE, **timeouts, **self.mariadb}
        write_config(config, self.folder / f"{name}.journal", mariadb, self.urls, PIPELINE, mapping)
        text = config.read_text(encoding="utf-8").replace(
            "[elasticsearch]\n",
            f"[elasticsearch]\nconnect_timeout = '1s'\nrequest_timeout = '{self.timeout_seconds}s'\n",
        )
        text += (f"\n[pipeline.limits]\npoll_interval = '50ms'\nretry_delay_min = '50ms'\n"
                 f"retry_delay_max = '1s'\n{self.limits}\n")  # fmt: skip
        config.write_text(text, encoding="utf-8")
        pawl = Pawl(self.binary, config, self.folder / f"{name}.log")
        pawl.log.touch()
        return pawl

    def start(self):
        self.pawl.start()
        self.resources.watch(self.pawl.process.pid)

    def let_write(self, rows):
        """So many more than are written by now, and then they pause."""
        self.writers.goal = self.writers.rows + rows

    def write(self, rows, seconds_max=60):
        """Until so many more are committed."""
        self.let_write(rows)
        self.writers.wait_for(self.writers.goal, seconds_max)

    def pause(self, seconds_max=CAUGHT_UP_SECONDS_MAX):
        """Until no writer has a transaction open."""
        self.writers.goal = 0
        self.writers.wait_until_paused(seconds_max)

    def insert(self, entity, op, body=None):
        """A row of the test's own, of an entity that the writers do not know."""
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT COALESCE(MAX(version), 0) FROM {TABLE} WHERE entity_id = %s", (entity,))
            version = cursor.fetchone()[0] + 1
            row = history.row(entity, version, body or self.body(), "test", op)
            cursor.execute(f"INSERT INTO {TABLE} {history.COLUMNS}", row)

    def catch_up(self, seconds_max=CAUGHT_UP_SECONDS_MAX):
        """Nobody writes; until pawl has everything and owes nothing. Then compares; returns the number of documents."""
        self.pause(seconds_max)
        self.pawl.wait_until_caught_up(self.connection, PIPELINE, seconds_max)
        return self.check_equal()

    def check_equal(self):
        client = self.index.client()
        quarantined = self.pawl.quarantined(PIPELINE.name)
        report = compare(lambda *request: client.request(*request).ok(), self.connection, PIPELINE, quarantined)
        if not report.ok or quarantined:
            raise AssertionError(f"{report}\n{self.pawl.log_tail()}\n{self.pawl.text('dump')}")
        return report.documents


class Resources:
    """Looks at a process's memory and descriptors every LOOK_SECONDS, and keeps the highest that it saw."""

    def __init__(self):
        self.rss_mb_max = self.descriptors_max = self.samples = 0
        self._pid = None
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def watch(self, pid):
        self._pid = pid

    def end(self):
        self._ended.set()

    def check(self, rss_mb_max, descriptors_max):
        assert self.samples > 0, "memory and descriptors were never looked at"
        assert self.rss_mb_max <= rss_mb_max, f"{self.rss_mb_max} MB resident, at most {rss_mb_max} allowed"
        assert self.descriptors_max <= descriptors_max, f"{self.descriptors_max} descriptors, at most {descriptors_max}"

    def __str__(self):
        return f"at most {self.rss_mb_max} MB resident and {self.descriptors_max} descriptors in {self.samples} samples"

    def _run(self):
        while not self._ended.wait(LOOK_SECONDS):
            if self._pid is None:
                continue
            process = pathlib.Path(f"/proc/{self._pid}")
            try:
                lines = (process / "status").read_text().splitlines()
                descriptors = len(list((process / "fd").iterdir()))
            except OSError:  # it is being killed
                continue
            resident = [int(line.split()[1]) for line in lines if line.startswith("VmRSS:")]
            if resident:
                self.rss_mb_max = max(self.rss_mb_max, resident[0] // 1024)
                self.descriptors_max = max(self.descriptors_max, descriptors)
                self.samples += 1


class Graves:
    """Entities that were deleted for good and were seen to be gone: none of them may be seen again, at any moment.

    Looks by id, which needs no refresh, all the time while the index answers."""

    def __init__(self, load):
        self._load = load
        self._number = 0
        self._buried = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.looks = 0
        self.risen = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def born(self, count):
        """New entities, each with a row."""
        entities = [f"mortal-{self._number + number}" for number in range(count)]
        self._number += count
        for entity in entities:
            self._load.insert(entity, "ADDED")
        return entities

    def edit(self, entities):
        for entity in entities:
            self._load.insert(entity, "UPDATED")

    def delete(self, entities):
        for entity in entities:
            self._load.insert(entity, "DELETED")

    def bury(self, entities):
        """To be called when the index has taken their deletes."""
        present = self._present(entities)
        assert not present, f"deleted, and yet there: {present[:5]}"
        with self._lock:
            self._buried += entities

    def count(self):
        return len(self._buried)

    def check(self):
        assert not self.risen, f"{len(self.risen)} deleted documents rose again, for instance {self.risen[:5]}"
        assert self.looks > 0, "nobody looked at the graves"

    def _run(self):
        while not self._ended.wait(LOOK_SECONDS):
            with self._lock:
                watched = self._buried[-BURIED_WATCHED_MAX:]
            try:
                found = self._present(watched)
            except (OSError, RuntimeError, ValueError, http.client.HTTPException):
                continue  # the index is down: there is nothing to see
            self.looks += bool(watched)
            with self._lock:
                self.risen += [entity for entity in found if entity not in self.risen]

    def _present(self, entities):
        if not entities:
            return []
        client = self._load.index.client(timeout_s=5)
        answer = client.post(f"/{ALIAS}/_mget?_source=false", {"ids": list(entities)})
        return [f"{each['_id']} at version {each['_version']}" for each in answer["docs"] if each.get("found")]
