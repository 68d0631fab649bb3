"""Compares every document of an index with the history, or the table with an outbox, that it should mirror.

What must be true of a live entity (its latest row does not delete it): there is a document with its id, whose _version
is that row's revision and whose _source is body + fields + constants, as JSON values. Of anything else: no document.
A table with an outbox says nothing of versions: every row of it is a live entity.
"""

import json
from dataclasses import dataclass, field

import pymysql.cursors

SCROLL_DOCUMENTS = 2_000
SCROLL_KEEP = "2m"
EXAMPLES_MAX = 5

# GROUP BY the bytes: the column's collation may hold two different ids equal.
LATEST_SQL = """
SELECT {columns} FROM `{table}` JOIN
  (SELECT MAX(`{revision}`) AS latest FROM `{table}` GROUP BY CAST(`{entity}` AS BINARY)) newest
  ON `{revision}` = latest
WHERE NOT COALESCE(`{deleted}`, 0)
"""
PRESENT_SQL = "SELECT {columns} FROM `{table}`"


@dataclass
class Report:
    """What was found. Each finding is one line of text that begins with the entity."""

    live: int = 0  # entities that should have a document
    documents: int = 0  # documents that the index has
    equal: int = 0
    quarantined: int = 0  # entities and documents left out of the comparison
    missing: list = field(default_factory=list)  # no document
    surplus: list = field(default_factory=list)  # a document of an entity that is deleted or was never there
    stale: list = field(default_factory=list)  # the _version is another than the latest revision
    different: list = field(default_factory=list)  # the right _version, but another content

    @property
    def ok(self):
        return not (self.missing or self.surplus or self.stale or self.different)

    def __str__(self):
        kinds = ("missing", "surplus", "stale", "different")
        lines = [
            f"{self.documents:,} documents, {self.live:,} live entities: {self.equal:,} equal, "
            + ", ".join(f"{len(getattr(self, kind)):,} {kind}" for kind in kinds)
            + f"; {self.quarantined:,} in quarantine"
        ]
        for kind in kinds:
            found = getattr(self, kind)
            lines += [f"  {kind}: {text}" for text in found[:EXAMPLES_MAX]]
            if len(found) > EXAMPLES_MAX:
                lines.append(f"  {kind}: and {len(found) - EXAMPLES_MAX:,} more")
        return "\n".join(lines)


def compare(fetch, connection, pipeline, quarantined=(), progress=None, versions=True):
    """`fetch(method, path, body) -> parsed JSON` asks the search server; `connection`: PyMySQL, utf8mb4, its open
    transaction is ended; `pipeline`: table, columns, alias and document shape; `quarantined`: entities to leave out."""
    versions = versions and pipeline.mode == "revision"
    left_out = {entity.encode() for entity in quarantined}
    report = Report(quarantined=len(left_out))
    expected = {entity: rest for entity, *rest in live_rows(connection, pipeline) if entity not in left_out}
    report.live = len(expected)
    for document in documents(fetch, pipeline.alias):
        report.documents += 1
        if progress and report.documents % SCROLL_DOCUMENTS == 0:
            progress(report.documents)
        entity = document["_id"].encode("utf-8", "surrogatepass")
        if entity not in left_out:
            _judge(report, document, expected.pop(entity, None), versions)
    report.missing = [
        f"{_name(entity)}: no document" + (f"; latest revision {row[0]}" if versions else "")
        for entity, row in expected.items()
    ]
    return report


def _judge(report, document, row, versions):
    """`row`: (revision, make its expected document), or None where there should be no document."""
    name, version = document["_id"], document["_version"]
    if row is None:
        report.surplus.append(f"{name}: _version {version} in {document['_index']}, but no live entity (or twice)")
        return
    revision, expected = row
    if versions and version != revision:
        report.stale.append(f"{name}: _version {version}, latest revision {revision}")
        return
    path = difference(expected(), document["_source"])
    if path is None:
        report.equal += 1
    else:
        report.different.append(f"{name}: _version {version}, {path}")


def documents(fetch, alias):
    """Every document of the alias, with _id, _index, _version, _source. Scroll: all five servers know it."""
    fetch("POST", f"/{alias}/_refresh", None)
    query = {"size": SCROLL_DOCUMENTS, "sort": ["_doc"], "version": True}
    page = fetch("POST", f"/{alias}/_search?scroll={SCROLL_KEEP}", query)
    try:
        while page["hits"]["hits"]:
            # A shard that failed would show as missing documents, which would be the wrong story.
            if page["_shards"]["failed"] or page["timed_out"]:
                raise RuntimeError(f"the scan of {alias} is incomplete: {json.dumps(page['_shards'])}")
            yield from page["hits"]["hits"]
            page = fetch("POST", "/_search/scroll", {"scroll": SCROLL_KEEP, "scroll_id": page["_scroll_id"]})
    finally:
        fetch("DELETE", "/_search/scroll", {"scroll_id": page["_scroll_id"]})


def live_rows(connection, pipeline):
    """(entity as bytes, revision, function that makes the expected document) of each live entity, in one snapshot."""
    has_history = pipeline.mode == "revision"
    columns = [f"`{column}`" for column in (pipeline.entity, pipeline.body, *pipeline.fields.values())]
    columns.insert(1, f"`{pipeline.revision}`" if has_history else "0")
    sql = (LATEST_SQL if has_history else PRESENT_SQL).format(
        columns=", ".join(columns),
        table=pipeline.table,
        revision=pipeline.revision,
        entity=pipeline.entity,
        deleted=pipeline.deleted,
    )
    connection.rollback()
    with connection.cursor(pymysql.cursors.SSCursor) as cursor:
        cursor.execute(sql)
        for entity, revision, body, *values in cursor:
            yield entity.encode(), revision, _document(pipeline, body, values)


def _document(pipeline, body, values):
    """Deferred: the bodies of a whole table, parsed, would be gigabytes."""
    return lambda: json.loads(body) | dict(zip(pipeline.fields, values)) | pipeline.constants


def difference(expected, found, path=""):
    """None where both are the same JSON value (1 and 1.0 are, 1 and true are not); else where and how they differ."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in expected.keys() | found.keys():
            where = f"{path}.{key}" if path else key
            if key not in found:
                return f"{where} is missing in the document"
            if key not in expected:
                return f"{where} is in the document only"
            if (below := difference(expected[key], found[key], where)) is not None:
                return below
        return None
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            return f"{path} has {len(found)} elements in the document, {len(expected)} in the table"
        pairs = enumerate(zip(expected, found))
        return next((below for i, pair in pairs if (below := difference(*pair, f"{path}[{i}]")) is not None), None)
    if _kind(expected) == _kind(found) and expected == found:
        return None
    return f"{path} is {_short(found)} in the document, {_short(expected)} in the table"


def _kind(value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return "number"
    if value is None or isinstance(value, (bool, str, dict, list)):
        return type(value)
    raise TypeError(f"compare does not know how a {type(value).__name__} column looks as JSON: teach it in compare.py")


def _short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _name(entity):
    return entity.decode("utf-8", "backslashreplace")
