"""Writers of a plain table, which have its rows come, change, go and come again; the rest is writers.py.

Each has rows of its own, so that none waits for another through a long transaction. The rows that all of them change, SHARED,
are for the last statement before the commit.
"""

import json
import time

import pymysql
from writers import ROWS_PER_STATEMENT_MAX, WORDS, WRITERS, HistoryWriter

TABLE_SQL = """
CREATE TABLE {table} (entity_id VARCHAR(700) NOT NULL PRIMARY KEY, version INT NOT NULL, body LONGTEXT NOT NULL)
ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
"""
SHARED = [f"x-{number:02}" for number in range(40)]
SHARED_SHARE = 0.3  # of the transactions
KNOWN_MAX = 1_000  # rows that a writer remembers to be there, or gone

INSERT = "INSERT INTO lex (entity_id, version, body) VALUES "
UPSERT = " ON DUPLICATE KEY UPDATE version = VALUES(version), body = VALUES(body)"
INSERT_SELECT = ("INSERT INTO lex (entity_id, version, body)"
                 " SELECT CONCAT(%s, id), %s, body FROM words WHERE id BETWEEN %s AND %s")  # fmt: skip
UPDATE = "UPDATE lex SET version = %s, body = %s WHERE entity_id IN %s"
DELETE = "DELETE FROM lex WHERE entity_id IN %s"
DUPLICATE_KEY = 1062


def boundaries():
    """Rows that nobody changes, one before each writer's own: a lock on the gap before the first of these reaches no other
    writer's rows."""
    return [f"w{number}" for number in range(WRITERS)] + ["x"]


def make_boundaries(connection):
    with connection.cursor() as cursor:
        cursor.executemany(INSERT + "(%s, 0, '{}')", boundaries())


class TableWriter(HistoryWriter):
    def __init__(self, shared, number, serial, seed):
        super().__init__(shared, number, serial, seed)
        self.present, self.gone = [], []  # own rows as this transaction has them
        self.committed = ([], [])  # the same, as it was when it began

    def _connect(self):
        """What was committed by a connection that broke is not known."""
        super()._connect()
        before = set(self.present) | set(self.gone)
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT entity_id FROM lex WHERE entity_id LIKE %s ORDER BY entity_id", (f"w{self.number}-%",))
            self.present = [row[0] for row in cursor]
        self.gone = sorted(before - set(self.present))
        self.connection.rollback()
        self._ended(committed=True)

    def _ended(self, committed):
        if committed:
            self.committed = (self.present[-KNOWN_MAX:], self.gone[-KNOWN_MAX:])
        self.present, self.gone = (list(part) for part in self.committed)

    def _transaction(self):
        try:
            super()._transaction()
        except pymysql.err.IntegrityError as error:
            # A client that was killed while it committed: its row came after this one has looked.
            if error.args[0] != DUPLICATE_KEY:
                raise
            raise pymysql.err.OperationalError(*error.args) from error

    def _statement(self):
        self.version += 1
        with self.connection.cursor() as cursor:
            choice = self.random.random()
            if choice < 0.15:
                return self._copy_words(cursor)
            if choice < 0.3:
                # Some are there already: ids of the outbox may be handed out for them and never used.
                return self._insert_rows(cursor, "INSERT IGNORE", self._new() + self._pick(self.present, 5))
            if choice < 0.5:
                return self._insert_rows(cursor, "INSERT", self._new() + self._pick(self.gone))
            if choice < 0.6:
                return self._insert_rows(cursor, "INSERT", self._new(1))
            if choice < 0.75:
                return self._update(cursor, self._pick(self.present))
            if choice < 0.9:
                return self._delete(cursor, self._pick(self.present))
            return self._replace(cursor, self._new() + self._pick(self.present) + self._pick(self.gone))

    def _last_statement(self):
        """What all may change, in rising order, so that nobody waits in a circle. Own rows come first: the ids for the whole
        statement may be handed out before it has to wait for another writer."""
        if self.random.random() >= SHARED_SHARE:
            return 0
        self.version += 1
        shared = sorted(self.random.sample(SHARED, 5))
        own = self._pick(self.present)
        with self.connection.cursor() as cursor:
            if self.random.random() < 0.25:
                return cursor.execute(DELETE, (shared,))
            rows = self._insert(cursor, INSERT, [self._row(entity) for entity in own + shared], UPSERT)
        return rows

    def _copy_words(self, cursor):
        first = self.random.randrange(WORDS)
        last = min(first + self.random.randrange(ROWS_PER_STATEMENT_MAX), WORDS - 1)
        prefix = f"w{self.number}-{self.serial}-copy-{self.version}-"
        rows = cursor.execute(INSERT_SELECT, (prefix, self.version, first, last))
        self.present += [f"{prefix}{number}" for number in range(first, last + 1)]
        return rows

    def _insert_rows(self, cursor, insert, entities):
        rows = self._insert(cursor, INSERT.replace("INSERT", insert, 1), [self._row(entity) for entity in entities])
        self._note(present=entities)
        return rows

    def _update(self, cursor, entities):
        return cursor.execute(UPDATE, (self.version, self._body(), entities)) if entities else 0

    def _delete(self, cursor, entities):
        rows = cursor.execute(DELETE, (entities,)) if entities else 0
        self._note(gone=entities)
        return rows

    def _replace(self, cursor, entities):
        rows = [self._row(entity) for entity in entities]
        self._note(present=entities)
        if self.random.random() < 0.5:
            return self._insert(cursor, INSERT.replace("INSERT", "REPLACE", 1), rows)
        return self._insert(cursor, INSERT, rows, UPSERT)

    def _note(self, present=(), gone=()):
        moved = set(present) | set(gone)
        self.present = [entity for entity in self.present if entity not in moved] + list(present)
        self.gone = [entity for entity in self.gone if entity not in moved] + list(gone)

    def _new(self, count=None):
        count = count or self.random.randint(1, ROWS_PER_STATEMENT_MAX)
        first = self.entities + 1
        self.entities += count
        return [f"w{self.number}-{self.serial}-{number}" for number in range(first, first + count)]

    def _pick(self, entities, count=ROWS_PER_STATEMENT_MAX // 2):
        return sorted(self.random.sample(entities, min(len(entities), self.random.randint(1, count))))

    def _row(self, entity):
        return entity, self.version, self._body()

    def _body(self):
        return json.dumps({"word": f"w{self.number}-{self.serial} {self.version}", "n": self.random.randrange(10**6)})
