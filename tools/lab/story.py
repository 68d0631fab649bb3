"""What the demo tells, act by act: load, write while pawl runs, kill it in a batch, start it again, compare."""

import contextlib
import pathlib
import random
import secrets
import time

from lab import compare, history, pawl, wordnet
from lab.servers import MariaDB, SearchServer
from lab.story_modes import MODES

INDEX = pathlib.Path(__file__).with_name("wordnet.index.json")
# Shares of the rows to write. Two kills: one while pawl reads WordNet itself, with big batches, and one when it keeps
# up with the writers, with small batches and rows that are committed late. It stays dead for a share of the rows.
KILL_IN_BACKLOG_AT, KILL_AT_HEAD_AT, DEAD_FOR = 0.2, 0.7, 0.1
MORE_ROWS_FOR_A_BATCH = 1_000
KILLS_MAX = 50
DEADLINE_SECONDS = 300
DUMP_LINES_MAX = 40


class Story:
    DATABASE, USER = "karp", "pawl"

    def __init__(self, options, binary, search_server, progress):
        self.options, self.binary, self.search_server, self.progress = options, binary, search_server, progress
        self.mode = MODES[options.mode]()
        self.pipeline = self.mode.pipeline
        self.seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
        self.kept = False  # set once --keep means something: everything is up and running
        self.crashes = 0
        self.figures = []

    def tell(self, folder):
        """True if the index and the table were equal."""
        with contextlib.ExitStack() as stack:
            self._start_servers(folder, stack)
            self._load()
            self._configure(folder, stack)
            self._write_and_kill()
            self._catch_up()
            equal = self._compare()
            if self.options.keep:
                self._keep(folder, stack)
            else:
                self._stop()
            self._summary(equal)
        return equal

    # The acts

    def _start_servers(self, folder, stack):
        self.database = MariaDB(folder / "db", keep=self.options.keep)
        self.search = SearchServer(self.search_server, folder / "search", keep=self.options.keep, long_life=True)
        for server in (self.database, self.search):
            stack.callback(server.kill)  # before the start: a start may be interrupted
            self.progress.show(f"starting {server.name}")
            server.start()
        self.progress.say(f"MariaDB on port {self.database.port}, {self.search.name} on port {self.search.port}")
        self.database.execute(f"CREATE DATABASE {self.DATABASE}")
        self.connection = self._connect()
        stack.callback(self.connection.close)

    def _connect(self):
        return self.database.connect(database=self.DATABASE)

    def _load(self):
        entities, started = [], time.monotonic()

        def entries():
            for entity, body in wordnet.synsets():
                entities.append(entity)
                yield entity, body

        self.mode.create_table(self.connection, self.pipeline.table)
        rows = history.load(
            self.connection,
            self.pipeline.table,
            entries(),
            progress=lambda rows: self.progress.show(f"loading WordNet: {rows:,} synsets"),
        )
        self.entities = entities
        seconds = time.monotonic() - started
        self.figure(f"WordNet's {rows:,} synsets {self.mode.loaded} in {seconds:.1f} s ({rows / seconds:,.0f} rows/s)")

    def _configure(self, folder, stack):
        password = secrets.token_hex(16)
        self.database.create_user(self.USER, password, self.mode.grants(self.DATABASE))
        password_file = folder / "mariadb.password"
        password_file.touch(mode=0o600)
        password_file.write_text(password + "\n", encoding="ascii")
        mariadb = {"host": self.database.host, "port": self.database.port, "database": self.DATABASE, "user": self.USER}
        config = folder / "pawl.toml"
        journal = folder / "journal"
        pawl.write_config(
            config, journal, mariadb | {"password_file": str(password_file)}, [self.search.url], self.pipeline, INDEX
        )
        self.pawl = pawl.Pawl(self.binary, config, folder / "pawl.log", keep=self.options.keep)
        stack.callback(self.pawl.end)
        self.mode.prepare(self)

    def _write_and_kill(self):
        total, count = self.options.updates, self.options.writers
        self.progress.say(f"pawl runs; {count} writers begin, seed {self.seed}")
        table, writer = self.pipeline.table, self.mode.writer
        with history.Writers(self._connect, table, self.entities, count, self.seed, writer=writer) as writers:
            self.pawl.start()
            self._write(writers, int(total * KILL_IN_BACKLOG_AT))
            self._crash(writers, "in WordNet itself")
            self._reach_head(writers)
            self._write(writers, int(total * KILL_AT_HEAD_AT))
            self._crash(writers, "at the head")
            self._write(writers, total)
            tally = writers.stop()
        self._tell_writers(tally)

    def _write(self, writers, rows):
        """Until so many rows are committed in all, while pawl runs."""

        def show(done):
            self.pawl.check_alive()
            self.progress.show(f"writers: {done:,} of {self.options.updates:,} rows")

        writers.goal = max(rows, writers.goal)
        writers.wait_for(rows, DEADLINE_SECONDS, show)

    def _crash(self, writers, where):
        """Kills pawl in a batch, shows what its journal holds, lets the writers go on alone, starts it again."""
        is_first = self.crashes == 0
        self.crashes += 1
        open_batches, attempts = self._kill_in_batch(writers)
        again = f" (the {attempts - 1} kills before hit no open batch)" if attempts > 1 else ""
        self.figure(
            f"SIGKILL {where}, at {writers.rows:,} rows: open batches in the journal: {len(open_batches)}{again}"
        )
        if is_first:
            self.progress.say("pawl dump:")
            self.progress.block(_shortened(self.pawl.text("dump")))
        writers.goal = writers.rows + int(self.options.updates * DEAD_FOR)
        writers.wait_for(writers.goal, DEADLINE_SECONDS)
        self.mode.tell_what_waits(self)
        started = time.monotonic()
        self.pawl.start()
        self.pawl.wait_until_recovered(open_batches, DEADLINE_SECONDS)
        self.figure(f"  restarted at {writers.rows:,} rows; they are settled {time.monotonic() - started:.2f} s later")

    def _kill_in_batch(self, writers):
        """Returns the batches that were open when it died, and the number of kills. Between a look and the kill the
        batch may have ended; then it was no crash in a batch, and the next one is tried."""

        def keep_writing():  # a pawl that has nothing to do opens no batch
            writers.goal = max(writers.goal, writers.rows + MORE_ROWS_FOR_A_BATCH)

        for attempt in range(1, KILLS_MAX + 1):
            self.pawl.poll(self.pawl.has_intent, "a batch in INTENT", DEADLINE_SECONDS, keep_writing)
            self.pawl.kill()
            open_batches = self.pawl.open_batches()
            if "INTENT" in open_batches.values():
                return open_batches, attempt
            self.pawl.start()
        raise pawl.PawlError(f"{KILLS_MAX} kills, and no batch was open at any of them")

    def _reach_head(self, writers):
        """Until pawl has read all that was there: from here on it meets the writers' rows as they are committed."""
        newest = pawl.newest_revision(self.connection, self.pipeline)
        before, began = self.pawl.status(self.pipeline.name)["high"], time.monotonic()

        def reached():
            high = self.pawl.status(self.pipeline.name)["high"]
            self.progress.show(f"pawl reads: revision {high:,} of {newest:,}")
            return high >= newest

        self.pawl.poll(reached, f"reading up to revision {newest}", DEADLINE_SECONDS)
        self.mode.tell_reading(self, before, newest, time.monotonic() - began)

    def _tell_writers(self, tally):
        writers = self.options.writers
        seconds = tally.busy_seconds / writers
        self.figure(
            f"{writers} writers: {tally.rows:,} rows ({tally.updates:,} updates, {tally.deletes:,} deletes, "
            f"{tally.readds:,} re-adds) in {tally.commits:,} transactions, {tally.commits / seconds:,.0f} commits/s, "
            f"{tally.rows / seconds:,.0f} rows/s while they wrote"
        )
        self.figure(
            f"  {tally.rollbacks:,} rolled back, {tally.conflicts:,} conflicts; COMMIT takes "
            f"{tally.commit_milliseconds(0.5):.1f} ms (median), {tally.commit_milliseconds(0.99):.1f} ms (99 %)"
        )

    def _catch_up(self):
        began = time.monotonic()
        status = self.pawl.wait_until_caught_up(
            self.connection,
            self.pipeline,
            DEADLINE_SECONDS,
            lambda now: self.progress.show(f"catching up: revision {now['high']:,}, {now['open_batches']} open"),
        )
        seconds = time.monotonic() - began
        self.figure(f"caught up with revision {status['high']:,} {seconds:.1f} s after the last write")
        self.mode.tell_what_waits(self)
        if gaps := len(status["gaps"]):
            self.figure(f"  the watermark is {status['watermark']:,}: {gaps:,} gaps (rollbacks) hold it")

    def _compare(self):
        started = time.monotonic()
        client = self.search.client()
        report = compare.compare(
            lambda method, path, body: client.request(method, path, body).ok(),
            self.connection,
            self.pipeline,
            self.pawl.quarantined(self.pipeline.name),
            lambda count: self.progress.show(f"comparing: {count:,} documents"),
        )
        first, *examples = str(report).splitlines()
        self.figure(f"compared in {time.monotonic() - started:.1f} s: {first}")
        self.progress.block("\n".join(examples))
        return report.ok

    def _stop(self):
        started = time.monotonic()
        self.pawl.stop()
        self.figure(f"pawl stopped cleanly in {time.monotonic() - started:.1f} s")

    def _summary(self, equal):
        print("\nSummary" + "".join(f"\n  {figure}" for figure in self.figures))
        verdict = f"every document equals its {self.mode.truth}" if equal else "THE INDEX DIFFERS FROM THE TABLE"
        print(f"  {verdict}; {self.progress.seconds():.0f} s in all, seed {self.seed}", flush=True)

    def _keep(self, folder, stack):
        """From here on nothing is cleaned up by us, but by the script `stop`."""
        stop = folder / "stop"
        pids = [self.pawl.process.pid, self.database.process.pid, self.search.process.pid]
        groups = " ".join(f"-{pid}" for pid in pids)
        lines = ("#!/bin/sh", f"kill -s KILL -- {groups}", "sleep 1", f"rm -rf '{folder}'", "")
        stop.write_text("\n".join(lines), encoding="utf-8")
        stop.chmod(0o755)
        stack.pop_all()
        self.kept = True
        sql = (
            "INSERT INTO lex (entity_id, version, last_modified, last_modified_by, body, status, op)"
            " VALUES ('pawl', 1, 0, 'me', '{\\\"pos\\\": \\\"noun\\\"}', 'OK', 'ADDED')"
        )
        mariadb = f"mariadb --socket={self.database.socket} --user=root {self.DATABASE}"
        self.figures.append(
            "kept running; to play:\n"
            f"    {mariadb}\n"
            f'    {mariadb} -e "{sql}"\n'
            f"    curl '{self.search.url}/lex/_doc/pawl?pretty'\n"
            f"    curl '{self.search.url}/lex/_search?q=words.lemma:ratchet&version=true&pretty'\n"
            + "".join(f"    {' '.join(self.pawl.command(each))}\n" for each in ("status", "dump", "quarantine list"))
            + f"    less {self.pawl.log}\n"
            f"  to stop it all and remove {folder}:\n    {stop}"
        )

    def figure(self, text):
        self.progress.say(text)
        self.figures.append(text)


def _shortened(dump):
    """All that is open; of the committed batches, which may be hundreds, only as many lines as there is room for."""
    lines = dump.splitlines()
    committed = [number for number, line in enumerate(lines) if "COMMITTED" in line]
    dropped = set(committed[: max(0, len(lines) - DUMP_LINES_MAX)])
    kept = [line for number, line in enumerate(lines) if number not in dropped]
    return "\n".join(kept + ([f"(and {len(dropped)} more COMMITTED batches)"] if dropped else []))
