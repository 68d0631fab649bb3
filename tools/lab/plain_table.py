"""A table without a history: history.py's columns, one row for each entity, which writers change and delete. What tells of
the changes is an outbox, which triggers fill.
"""

import pymysql

from . import history
from .history import COLUMNS, DELETE_SHARE, DUPLICATE_KEY, Writer, row

TABLE_SQL = (
    history.TABLE_SQL.replace("  history_id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,\n", "")
    .replace("entity_id VARCHAR(26) NOT NULL", "entity_id VARCHAR(26) NOT NULL PRIMARY KEY")
    .replace(",\n  CONSTRAINT id_version_unique_constraint UNIQUE (entity_id, version)", "")
)
PRESENT_SQL = "SELECT entity_id, version, body FROM `{table}` WHERE entity_id IN %s"
DELETE_SQL = "DELETE FROM `{table}` WHERE entity_id = %s AND version = %s"
UPDATE_SQL = (
    "UPDATE `{table}` SET version = %s, last_modified = %s, last_modified_by = %s, body = %s, status = %s, message = %s,"
    " op = %s, discarded = %s WHERE entity_id = %s AND version = %s"
)


def create_table(connection, table):
    with connection.cursor() as cursor:
        cursor.execute(TABLE_SQL.format(table=table))


class PlainWriter(Writer):
    """For history.Writers. Remembers what it has deleted, and adds that again, perhaps."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.buried = {}  # {entity: (version, body)}

    def _write(self, connection):
        with connection.cursor() as cursor:
            picked = self._pick()
            cursor.execute(PRESENT_SQL.format(table=self.table), (picked,))
            present = {entity: (version, body) for entity, version, body in cursor.fetchall()}
            rows = []
            for entity in picked:
                if entity in present:
                    rows.append(self._change(cursor, entity, *present[entity]))
                elif entity in self.buried:
                    version, body = self.buried[entity]
                    rows.append(row(entity, version + 1, self._edited(body), self.user, "ADDED"))
                    cursor.execute(f"INSERT INTO `{self.table}` {COLUMNS}", rows[-1])
        return rows

    def _change(self, cursor, entity, version, body):
        if self.random.random() < DELETE_SHARE:
            self.buried[entity] = version, body
            self._must_change(cursor, DELETE_SQL, (entity, version))
            return row(entity, version + 1, body, self.user, "DELETED")
        changed = row(entity, version + 1, self._edited(body), self.user, "UPDATED")
        self._must_change(cursor, UPDATE_SQL, (*changed[1:], entity, version))
        return changed

    def _must_change(self, cursor, sql, values):
        if cursor.execute(sql.format(table=self.table), values) == 0:
            raise pymysql.err.IntegrityError(DUPLICATE_KEY, "another writer was quicker")
