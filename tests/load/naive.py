"""Readers of the kind that loses rows: each in a process of its own, beside pawl and the same writers."""

import multiprocessing
import pickle
import time

import pymysql
from table_writers import boundaries

POLL_SECONDS = 0.02


class NaiveReader:
    """A context manager: the reader runs inside it. `kind`: one of the classes below."""

    def __init__(self, database, folder, kind):
        self.database, self.kind, self.name = database, kind, kind.NAME
        self.file = folder / f"naive-{kind.__name__}"
        context = multiprocessing.get_context("fork")
        self.stop = context.Event()
        self.process = context.Process(target=self._read, daemon=True)

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.join()

    def lost(self, connection):
        """Ends the reader; how many it has lost by then. Nobody may write any more."""
        self.stop.set()
        self.process.join()
        with connection.cursor() as cursor:
            return pickle.loads(self.file.read_bytes()).lost(cursor)

    def _read(self):
        reader, connection = self.kind(), None
        while True:
            stopping = self.stop.is_set()  # and one look after that
            try:
                connection = connection or self.database.connect(database="karp")
                with connection.cursor() as cursor:
                    reader.look(cursor)
                if stopping:
                    break
            except (pymysql.err.Error, OSError):
                connection = None
            time.sleep(POLL_SECONDS)
        self.file.write_bytes(pickle.dumps(reader))


class TrustsMax:
    NAME = "a reader of the history that trusts MAX(history_id)"

    def __init__(self):
        self.seen, self.last = set(), 0

    def look(self, cursor):
        cursor.execute("SELECT history_id FROM lex WHERE history_id > %s ORDER BY history_id", (self.last,))
        rows = [row[0] for row in cursor]
        self.seen.update(rows)
        self.last = rows[-1] if rows else self.last

    def lost(self, cursor):
        cursor.execute("SELECT history_id FROM lex")
        return len({row[0] for row in cursor} - self.seen)


class _Mirror:
    """A reader of an outbox of its own, OUTBOX, which keeps the version of each row that it was told of, as a document
    would have it. Lost is a row whose version is another in the end."""

    READ = "SELECT id, o.entity, l.version FROM {outbox} o LEFT JOIN lex l ON l.entity_id = o.entity WHERE id > {above} ORDER BY id"

    def __init__(self):
        self.rows, self.last = {}, 0

    def take(self, cursor, above):
        cursor.execute(self.READ.format(outbox=self.OUTBOX, above=above))
        for identity, entity, version in cursor.fetchall():
            self.rows[entity] = version
            self.last = identity

    def lost(self, cursor):
        cursor.execute("SELECT entity_id, version FROM lex")
        there = dict(cursor.fetchall())
        told = {entity: version for entity, version in self.rows.items() if version is not None}
        never_changed = set(boundaries())
        return sum(told.get(entity) != there.get(entity) for entity in told.keys() | there.keys() - never_changed)


class AboveLastId(_Mirror):
    NAME = "a reader of the outbox that asks for ids above its last one"
    OUTBOX = "naive_last_id"

    def look(self, cursor):
        self.take(cursor, self.last)


class DeletesByRange(_Mirror):
    NAME = "a reader of the outbox that deletes all up to the last id it read"
    OUTBOX = "naive_range"

    def look(self, cursor):
        self.take(cursor, 0)
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        cursor.execute(f"DELETE FROM {self.OUTBOX} WHERE id <= %s", (self.last,))
