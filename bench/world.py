"""The private servers of one measurement, the history in them, and an index to fill."""

import json
import os
import secrets
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any, BinaryIO

from lab import history, pawl
from lab.servers import MariaDB, SearchServer

from bench import child, load
from bench.entries import Entries

SEARCH_SERVER = "elasticsearch-8.19.7"
HEAP_MB = 1024
DATABASE = "karp"
USER = "pawl"
INDEX_FILE = Path(__file__).with_name("lex.index.json")
ALIAS = "lex"
FIELDS = {"_entry_version": "version", "_last_modified": "last_modified", "_last_modified_by": "last_modified_by"}
COLUMNS = "history_id, entity_id, version, last_modified, last_modified_by, body, status, message, op, discarded"
COMPARED_DOCUMENTS = 100
# LMDB 0.9's data file: a page's header has 16 bytes, MDB_meta begins with magic, version, address and map size (24
# bytes), two databases of 48 bytes and the last page's number. The first database's first field is the page size.
META_PAGE_BYTES_AT = 16 + 24
META_TRANSACTION_AT = 16 + 24 + 2 * 48 + 8


class Wrong(Exception):
    """What was measured did not do its work, so the figures mean nothing."""


class World:
    """A context manager: servers run inside it.

    `apart`: Elasticsearch has a processor for itself, and nothing else of this process uses that one. So it is where
    Elasticsearch has a machine of its own."""

    def __init__(self, folder: Path, apart: bool = False) -> None:
        self._processors = os.sched_getaffinity(0)
        self._search_processors = {min(self._processors)} if apart else self._processors
        self.folder = folder
        self.rows = folder / "rows.tsv"
        self.ndjson = folder / "bulk.ndjson"
        self.journal = folder / "journal"
        self.config = folder / "pawl.toml"
        self.documents = 0
        self.document_bytes = 0
        self.database = MariaDB(folder / "db")
        self.search = SearchServer(SEARCH_SERVER, folder / "search", heap_mb=HEAP_MB, long_life=True)

    def __enter__(self) -> "World":
        try:
            os.sched_setaffinity(0, self._search_processors)  # what it starts inherits it
            self.search.start()
            os.sched_setaffinity(0, self._processors - self._search_processors or self._processors)
            self.database.start()
            self.database.execute(f"CREATE DATABASE {DATABASE}")
            self._make_user()
        except BaseException:
            self.__exit__()
            raise
        self.client = self.search.client()
        return self

    def __exit__(self, *_: object) -> None:
        os.sched_setaffinity(0, self._processors)
        self.database.kill()
        self.search.kill()

    def _make_user(self) -> None:
        password = secrets.token_hex(16)
        self.database.create_user(USER, password, [f"SELECT, LOCK TABLES ON {DATABASE}.*"])
        self.password_file = self.folder / "mariadb.password"
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(password + "\n", encoding="ascii")

    def fill(self, documents: int) -> None:
        """A history with so many entities, one row each, in place of the one before."""
        self.documents = documents
        self.document_bytes = Entries(documents).write(self.rows, self.ndjson)
        with self.database.connect(database=DATABASE) as connection:
            connection.query(f"DROP TABLE IF EXISTS {ALIAS}")
            history.create_table(connection, ALIAS)
            connection.query(f"LOAD DATA INFILE '{self.rows}' INTO TABLE {ALIAS} ({COLUMNS})")
            connection.query(f"ANALYZE TABLE {ALIAS}")
        self.rows.unlink()

    def edit(self, table: str, edits: int) -> None:
        """Another table with so many rows for each entity of the history."""
        with self.database.connect(database=DATABASE) as connection:
            connection.query(f"DROP TABLE IF EXISTS {table}")
            connection.query(f"CREATE TABLE {table} LIKE {ALIAS}")
            others = COLUMNS.removeprefix("history_id, ")
            for number in range(edits):
                values = others.replace("version", f"version + {number}")
                connection.query(f"INSERT INTO {table} ({others}) SELECT {values} FROM {ALIAS} ORDER BY history_id")
            connection.query(f"ANALYZE TABLE {table}")

    def configure(self, url: str, limits: dict[str, int], table: str = ALIAS, mode: str = "revision") -> pawl.Pipeline:
        """Writes pawl.toml for the index at `url`."""
        pipeline = pawl.Pipeline(name=ALIAS, table=table, alias=ALIAS, fields=FIELDS, constants={"_resource_id": "lex"},
                                 mode=mode)
        mariadb = {"host": self.database.host, "port": self.database.port, "database": DATABASE, "user": USER,
                   "password_file": str(self.password_file)}
        pawl.write_config(self.config, self.journal, mariadb, [url], pipeline, INDEX_FILE)
        with self.config.open("a", encoding="utf-8") as file:
            file.write("[pipeline.limits]\n" + "".join(f"{key} = {value}\n" for key, value in limits.items()))
        return pipeline

    def start_over(self, with_index: bool = False) -> bool:
        """No journal, no index or an empty one, and servers that have come to rest (False: they have not)."""
        behind = self.client.request("GET", f"/_alias/{ALIAS}")
        for index in behind.ok() if behind.status != 404 else ():
            self.client.delete(f"/{index}")
        shutil.rmtree(self.journal, ignore_errors=True)
        self.journal.mkdir(mode=0o700)
        for index in self.client.get("/_alias").keys():
            if index.startswith(f"{ALIAS}-"):  # left by a rebuild that was killed
                self.client.delete(f"/{index}")
        if with_index:
            body = json.loads(INDEX_FILE.read_text(encoding="utf-8"))
            body["settings"]["index.gc_deletes"] = "1h"  # as in an index that pawl makes
            self.client.put(f"/{ALIAS}-before", body | {"aliases": {ALIAS: {"is_write_index": True}}})
        return load.wait_until_quiet(self.server_groups())

    def server_groups(self) -> list[int]:
        assert self.database.process and self.search.process
        return [self.database.process.pid, self.search.process.pid]

    def run_ceiling(self, program: Path) -> child.Cost:
        """All documents, posted without pawl, into an index that it makes."""
        command = [str(program), self.search.url, ALIAS, str(INDEX_FILE), str(self.ndjson)]
        cost = child.run(command, self.folder)
        # Its own figures leave out reading the file.
        said = json.loads(cost.output)
        return child.Cost(said["wall_seconds"], said["cpu_seconds"], cost.rss_bytes_max, cost.output)

    def check_index(self, versions: bool = True) -> None:
        """Raises Wrong unless all documents are there, and some of them are as they must be. `versions`: also their
        revisions, as in the history."""
        self.client.post(f"/{ALIAS}/_refresh")
        count = self.client.get(f"/{ALIAS}/_count")["count"]
        if count != self.documents:
            raise Wrong(f"the index holds {count} documents, expected {self.documents}")
        for action, document in self._some_documents():
            found = self.client.get(f"/{ALIAS}/_doc/{action['_id']}")
            if (versions and found["_version"] != action["version"]) or found["_source"] != document:
                raise Wrong(f"{action['_id']} is {found}, expected version {action['version']} and {document}")

    def _some_documents(self) -> list[tuple[Any, Any]]:
        step = max(1, self.documents // COMPARED_DOCUMENTS)
        some = []
        with self.ndjson.open(encoding="utf-8") as file:
            for number, action in enumerate(file):
                document = next(file)
                if number % step == 0:
                    some.append((json.loads(action)["index"], json.loads(document)))
        return some

    def journal_commits(self) -> int:
        """LMDB transactions that were written to the journal since it was made."""
        # The first two pages take turns as meta pages; each holds the number of the transaction that wrote it.
        with (self.journal / "data.mdb").open("rb") as file:
            page_bytes = _u32(file, META_PAGE_BYTES_AT)
            numbers = [_u64(file, page * page_bytes + META_TRANSACTION_AT) for page in (0, 1)]
        return max(numbers)

    def journal_batches(self, binary: Path) -> int:
        """Batches that were made since the journal was made."""
        done = subprocess.run([binary, "dump", "--json", "--config", self.config], capture_output=True, check=True)
        ids = [batch["id"] for pipeline in json.loads(done.stdout)["pipelines"] for batch in pipeline["batches"]]
        return max((int(each.rsplit("/", 1)[1]) for each in ids), default=0)


def _u32(file: BinaryIO, at: int) -> int:
    file.seek(at)
    return struct.unpack("<I", file.read(4))[0]


def _u64(file: BinaryIO, at: int) -> int:
    file.seek(at)
    return struct.unpack("<Q", file.read(8))[0]
