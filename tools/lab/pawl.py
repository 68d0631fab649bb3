"""Everything that the lab assumes about pawl: its config file, its commands, the JSON that they print."""

import json
import signal
import subprocess
import time
from dataclasses import dataclass, field

POLL_SECONDS = 0.1  # each look starts a process
COMMAND_SECONDS_MAX = 30
STOP_SECONDS_MAX = 15  # it promises 5
LOG_LINES_SHOWN = 30
GAPS_PER_QUERY = 200


class PawlError(Exception):
    """pawl did not do what it promises; the message has the end of its log."""


@dataclass(frozen=True)
class Pipeline:
    """One history table, or any table with an outbox, kept in step with one alias, and the shape of its documents:
    body + fields + constants. With an outbox `revision` and `deleted` have no meaning."""

    name: str
    table: str
    alias: str
    revision: str = "history_id"
    entity: str = "entity_id"
    deleted: str = "discarded"
    body: str = "body"
    fields: dict = field(default_factory=dict)  # key in the document: column
    constants: dict = field(default_factory=dict)  # key in the document: value
    mode: str = "revision"  # or "outbox"

    @property
    def outbox(self):
        return f"pawl_outbox_{self.table}"


def write_config(path, journal, mariadb, urls, pipeline, create, listen=None, more=()):
    """Writes pawl.toml. `mariadb`: keys of its section; `create`: the file with the index's settings and mappings, None:
    pawl makes none; `more`: further pairs of pipeline and create."""
    sections = [("[journal]", {"path": str(journal)}), ("[mariadb]", mariadb), ("[elasticsearch]", {"urls": urls})]
    if listen:
        sections.append(("[http]", {"listen": listen}))
    for each, its_index in ((pipeline, create), *more):
        sections += _pipeline_sections(each, its_index)
    lines = []
    for title, keys in sections:
        lines += [title, *(f"{key} = {_toml(value)}" for key, value in keys.items()), ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _pipeline_sections(pipeline, create):
    source = {"mode": pipeline.mode, "table": pipeline.table, "entity": pipeline.entity}
    if pipeline.mode == "revision":
        source |= {"revision": pipeline.revision, "deleted": pipeline.deleted}
    return [
        ("[[pipeline]]", {"name": pipeline.name}),
        ("[pipeline.source]", source),
        ("[pipeline.document]", {"body": pipeline.body, "fields": pipeline.fields, "constants": pipeline.constants}),
        ("[pipeline.index]", {"alias": pipeline.alias} | ({"create": str(create)} if create else {})),
    ]


def _toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class Pawl:
    """One pawl daemon, and the commands that look at its journal.

    Unless `keep`, the kernel kills the daemon when the thread that started it ends: nothing is left when we are killed.
    """

    def __init__(self, binary, config, log, keep=False):
        self.binary, self.config, self.log, self.keep = binary, config, log, keep
        self.process = None

    def command(self, *arguments):
        """The argument vector of a pawl command, for a person or for subprocess."""
        return [str(self.binary), *arguments, "--config", str(self.config)]

    # The daemon

    def start(self):
        command = self.command("run")
        if not self.keep:
            command = ["setpriv", "--pdeathsig", "KILL", "--", *command]
        with self.log.open("ab") as log:  # a session of its own: Ctrl-C on the terminal is not for it
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self):
        """SIGKILL. Raises if it had ended by itself: then nothing was shown."""
        self.process.kill()
        code = self.process.wait()
        if code != -signal.SIGKILL:
            raise PawlError(f"pawl was to be killed but had ended by itself with {code}\n{self.log_tail()}")

    def stop(self):
        """SIGTERM; raises unless it exits 0 in time."""
        self.process.terminate()
        code = self.process.wait(STOP_SECONDS_MAX)
        if code != 0:
            raise PawlError(f"pawl was told to stop and exited with {code}\n{self.log_tail()}")

    def end(self):
        """Whatever it does: it is gone afterwards."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def check_alive(self):
        if self.process.poll() is not None:
            raise PawlError(f"pawl ended by itself with {self.process.returncode}\n{self.log_tail()}")

    def log_tail(self):
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-LOG_LINES_SHOWN:])

    # The commands

    def json(self, *arguments):
        """What the command prints with --json. Raises PawlError unless it exits 0."""
        command = self.command(*arguments, "--json")
        done = subprocess.run(command, capture_output=True, timeout=COMMAND_SECONDS_MAX, check=False)
        if done.returncode != 0:
            text = done.stderr.decode(errors="replace").strip()
            raise PawlError(f"{' '.join(command)} exited with {done.returncode}: {text}")
        return json.loads(done.stdout)

    def text(self, *arguments):
        """What the command prints for people; its exit code is not judged."""
        done = subprocess.run(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        return done.stdout.decode(errors="replace")

    def open_batches(self):
        """{"lex/17": state} of what `dump` shows as INTENT or APPLIED."""
        states = {batch["id"]: batch["state"] for batch in self._batches()}
        return {batch: state for batch, state in states.items() if state != "COMMITTED"}

    def has_intent(self):
        return bool(self._batches("--state", "INTENT"))

    def _batches(self, *options):
        return [batch for pipeline in self.json("dump", *options)["pipelines"] for batch in pipeline["batches"]]

    def status(self, name):
        """The pipeline's part of `status`; None while the journal does not know it yet."""
        found = [each for each in self.json("status")["pipelines"] if each["name"] == name]
        return found[0] if found else None

    def quarantined(self, name):
        """The pipeline's entities that wait for a person: {entity: revision}."""
        entries = self.json("quarantine", "list")["quarantine"]
        return {entry["entity"]: entry["revision"] for entry in entries if entry["pipeline"] == name}

    # Waiting

    def poll(self, condition, what, deadline_seconds, progress=None):
        """Asks `condition()` until it gives something true, and returns that. The daemon must stay alive.

        Until it has made its journal the commands fail: that counts as "not yet", and stands in the error at the end.
        """
        end, trouble = time.monotonic() + deadline_seconds, ""
        while True:
            self.check_alive()
            try:
                result, trouble = condition(), ""
            except PawlError as error:
                result, trouble = None, f" ({error})"
            if result:
                return result
            if time.monotonic() > end:
                raise PawlError(f"{what}: not within {deadline_seconds} s{trouble}\n{self.log_tail()}")
            if progress:
                progress()
            time.sleep(POLL_SECONDS)

    def wait_until_recovered(self, batches, deadline_seconds):
        """Until none of these batches (of `open_batches`) is open."""
        self.poll(lambda: not batches.keys() & self.open_batches().keys(), "recovery", deadline_seconds)

    def wait_until_caught_up(self, connection, pipeline, deadline_seconds, progress=None):
        """Until every committed row was read and no batch is open; nobody may write meanwhile. Returns the status.

        With an outbox: until it is empty. Quarantined rows wait in it, so there must be none.

        A rolled back insert leaves a gap that holds the watermark, so the watermark is not asked; but a gap that hides
        a committed row (a late one) is work that is still to do.
        """

        def caught_up():
            present = self.status(pipeline.name)
            if progress and present:
                progress(present)
            if not present or present["open_batches"]:
                return None
            if pipeline.mode == "outbox":
                return None if rows_of_outbox(connection, pipeline) else present
            if present["high"] < newest:
                return None
            return None if rows_in_gaps(connection, pipeline, present["gaps"]) else present

        newest = newest_revision(connection, pipeline)
        return self.poll(caught_up, f"catching up with revision {newest}", deadline_seconds)


def rows_of_outbox(connection, pipeline):
    return _value(connection, f"SELECT COUNT(*) FROM `{pipeline.outbox}`")


def newest_revision(connection, pipeline):
    """Of the history; with an outbox the highest id of a row that waits there."""
    revision, table = (pipeline.revision, pipeline.table) if pipeline.mode == "revision" else ("id", pipeline.outbox)
    return int(_value(connection, f"SELECT COALESCE(MAX(`{revision}`), 0) FROM `{table}`"))


def rows_in_gaps(connection, pipeline, gaps):
    """How many committed rows have a revision in one of the intervals [first, last]."""
    total = 0
    for start in range(0, len(gaps), GAPS_PER_QUERY):
        some = gaps[start : start + GAPS_PER_QUERY]
        where = " OR ".join(f"`{pipeline.revision}` BETWEEN {int(first)} AND {int(last)}" for first, last in some)
        total += _value(connection, f"SELECT COUNT(*) FROM `{pipeline.table}` WHERE {where}")
    return total


def _value(connection, sql):
    """The one value of a query, as the database is now (not as an older snapshot of this connection saw it)."""
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]
