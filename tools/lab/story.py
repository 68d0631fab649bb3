"""What the demo tells, act by act: load, write while pawl runs, kill it in a batch, start it again, compare."""

import contextlib
import pathlib
import random
import secrets
import time

from lab import compare, history, pawl, wordnet
from lab.servers import MariaDB, SearchServer

DATABASE = "karp"
USER = "pawl"
INDEX = pathlib.Path(__file__).with_name("wordnet.index.json")
PIPELINE = pawl.Pipeline(
    name="lex",
    table="lex",
    alias="lex",
    fields={"_entry_version": "version", "_last_modified": "last_modified", "_last_modified_by": "last_modified_by"},
    constants={"_resource_id": "lex"},
)
# Shares of the rows to write: the kill comes after the first, pawl stays dead until the second, the rest follows.
KILL_AT, RESTART_AT = 0.3, 0.4
KILLS_MAX = 50
DEADLINE_SECONDS = 300
DUMP_LINES_MAX = 40


class Story:
    def __init__(self, options, binary, search_server, progress):
        self.options, self.binary, self.search_server, self.progress = options, binary, search_server, progress
        self.seed = random.SystemRandom().randrange(2**32) if options.seed is None else options.seed
        self.kept = False  # set once --keep means something: everything is up and running
        self.figures = []

    def tell(self, folder):
        """True if index and history were equal."""
        with contextlib.ExitStack() as stack:
            self._start_servers(folder, stack)
            self._load()
            self._configure(folder, stack)
            self._write_and_kill(stack)
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
        self.search = SearchServer(self.search_server, folder / "search", keep=self.options.keep)
        for server in (self.database, self.search):
            stack.callback(server.kill)  # before the start: a start may be interrupted
            self.progress.show(f"starting {server.name}")
            server.start()
        self.progress.say(f"MariaDB on port {self.database.port}, {self.search.name} on port {self.search.port}")
        self.database.execute(f"CREATE DATABASE {DATABASE}")
        self.connection = self._connect()
        stack.callback(self.connection.close)

    def _connect(self):
        return self.database.connect(database=DATABASE)

    def _load(self):
        entities, started = [], time.monotonic()

        def entries():
            for entity, body in wordnet.synsets():
                entities.append(entity)
                yield entity, body

        history.create_table(self.connection, PIPELINE.table)
        rows = history.load(
            self.connection,
            PIPELINE.table,
            entries(),
            progress=lambda rows: self.progress.show(f"loading WordNet: {rows:,} synsets"),
        )
        self.entities = entities
        seconds = time.monotonic() - started
        self._figure(f"WordNet's {rows:,} synsets are added to the history in {seconds:.1f} s ({rows / seconds:,.0f} rows/s)")

    def _configure(self, folder, stack):
        password = secrets.token_hex(16)
        self.database.create_user(USER, password, [f"SELECT, LOCK TABLES ON {DATABASE}.*"])
        password_file = folder / "mariadb.password"
        password_file.touch(mode=0o600)
        password_file.write_text(password + "\n", encoding="ascii")
        mariadb = {"host": self.database.host, "port": self.database.port, "database": DATABASE, "user": USER}
        config = folder / "pawl.toml"
        journal = folder / "journal"
        pawl.write_config(
            config, journal, mariadb | {"password_file": str(password_file)}, [self.search.url], PIPELINE, INDEX
        )
        self.pawl = pawl.Pawl(self.binary, config, folder / "pawl.log", keep=self.options.keep)
        stack.callback(self.pawl.end)

    def _write_and_kill(self, stack):
        total, count = self.options.updates, self.options.writers
        self.progress.say(f"pawl runs; {count} writers begin, seed {self.seed}")
        with history.Writers(self._connect, PIPELINE.table, self.entities, count, self.seed) as writers:
            started = time.monotonic()
            writers.goal = total
            self.pawl.start()
            self._wait_for(writers, int(total * KILL_AT))
            open_batches = self._kill_in_batch(writers)
            # Dead: nobody asks whether it is alive.
            writers.wait_for(max(int(total * RESTART_AT), writers.rows), DEADLINE_SECONDS)
            self._restart(open_batches, writers)
            self._wait_for(writers, total)
            tally = writers.stop()
        self._tell_writers(tally, time.monotonic() - started)

    def _wait_for(self, writers, rows):
        def show(done):
            self.pawl.check_alive()
            self.progress.show(f"writers: {done:,} of {self.options.updates:,} rows")

        writers.wait_for(rows, DEADLINE_SECONDS, show)

    def _kill_in_batch(self, writers):
        """Returns the batches that were open when it died. Between a look and the kill the batch may have ended; then
        it was no crash in a batch, and the next one is tried."""
        for attempt in range(1, KILLS_MAX + 1):
            self.pawl.poll(self.pawl.has_intent, "a batch in INTENT", DEADLINE_SECONDS)
            self.pawl.kill()
            open_batches = self.pawl.open_batches()
            if "INTENT" in open_batches.values():
                break
            self.pawl.start()
        else:
            raise pawl.PawlError(f"{KILLS_MAX} kills, and no batch was open at any of them")
        again = f" (kill {attempt}; at those before no batch was open)" if attempt > 1 else ""
        self._figure(f"SIGKILL at {writers.rows:,} rows, with {len(open_batches)} open batches in the journal{again}")
        self.progress.say("pawl dump:")
        self.progress.block(_shortened(self.pawl.text("dump")))
        self.dead = self.pawl.status(PIPELINE.name)
        return open_batches

    def _restart(self, open_batches, writers):
        self.restarted = time.monotonic()
        self.pawl.start()
        self.pawl.wait_until_recovered(open_batches, DEADLINE_SECONDS)
        seconds = time.monotonic() - self.restarted
        self._figure(f"restarted at {writers.rows:,} rows: its {len(open_batches)} open batches are settled {seconds:.2f} s later")

    def _tell_writers(self, tally, seconds):
        self._figure(
            f"{self.options.writers} writers: {tally.rows:,} rows ({tally.updates:,} updates, {tally.deletes:,} deletes, "
            f"{tally.readds:,} re-adds) in {tally.commits:,} transactions, {tally.commits / seconds:,.0f} commits/s"
        )
        self._figure(
            f"  {tally.rollbacks:,} rolled back, {tally.conflicts:,} conflicts; COMMIT takes "
            f"{tally.commit_milliseconds(0.5):.1f} ms (median), {tally.commit_milliseconds(0.99):.1f} ms (99 %)"
        )

    def _catch_up(self):
        began = time.monotonic()
        status = self.pawl.wait_until_caught_up(
            self.connection,
            PIPELINE,
            DEADLINE_SECONDS,
            lambda now: self.progress.show(f"catching up: revision {now['high']:,}, {now['open_batches']} batches open"),
        )
        now = time.monotonic()
        read, seconds = status["high"] - self.dead["high"], now - self.restarted
        self._figure(
            f"caught up with revision {status['high']:,} {now - began:.1f} s after the last write: {read:,} revisions in the "
            f"{seconds:.1f} s since the restart ({read / seconds:,.0f}/s, beside the writers)"
        )
        if status["gaps"]:
            self._figure(f"  the watermark is {status['watermark']:,}: {len(status['gaps']):,} gaps (rollbacks) hold it")

    def _compare(self):
        started = time.monotonic()
        client = self.search.client()
        report = compare.compare(
            lambda method, path, body: client.request(method, path, body).ok(),
            self.connection,
            PIPELINE,
            self.pawl.quarantined(PIPELINE.name),
            lambda count: self.progress.show(f"comparing: {count:,} documents"),
        )
        self._figure(f"compared in {time.monotonic() - started:.1f} s: {report}")
        return report.ok

    def _stop(self):
        started = time.monotonic()
        self.pawl.stop()
        self._figure(f"pawl stopped cleanly in {time.monotonic() - started:.1f} s")

    def _summary(self, equal):
        print("\nSummary" + "".join(f"\n  {figure}" for figure in self.figures))
        verdict = "every document equals its history" if equal else "THE INDEX DIFFERS FROM THE HISTORY"
        print(f"  {verdict}; {self.progress.seconds():.0f} s in all, seed {self.seed}", flush=True)

    def _keep(self, folder, stack):
        """From here on nothing is cleaned up by us, but by the script `stop`."""
        stop = folder / "stop"
        pids = [self.pawl.process.pid, self.database.process.pid, self.search.process.pid]
        groups = " ".join(f"-{pid}" for pid in pids)
        stop.write_text(f"#!/bin/sh\nkill -9 -- {groups}\nsleep 1\nrm -rf '{folder}'\n", encoding="utf-8")
        stop.chmod(0o755)
        stack.pop_all()
        self.kept = True
        sql = (
            "INSERT INTO lex (entity_id, version, last_modified, last_modified_by, body, status, op)"
            " VALUES ('pawl', 1, 0, 'me', '{\\\"pos\\\": \\\"noun\\\"}', 'OK', 'ADDED')"
        )
        mariadb = f"mariadb --socket={self.database.socket} --user=root {DATABASE}"
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

    def _figure(self, text):
        self.progress.say(text)
        self.figures.append(text)


def _shortened(dump):
    """All that is open; of the committed batches, which may be hundreds, only as many lines as there is room for."""
    lines = dump.splitlines()
    committed = [number for number, line in enumerate(lines) if "COMMITTED" in line]
    dropped = set(committed[: max(0, len(lines) - DUMP_LINES_MAX)])
    kept = [line for number, line in enumerate(lines) if number not in dropped]
    return "\n".join(kept + ([f"(and {len(dropped)} more COMMITTED batches)"] if dropped else []))
