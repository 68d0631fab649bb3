#!/usr/bin/python3
"""Kills a real pawl at every crash point of its binary, restarts it, and compares every document.

The points are asked of the binary (`pawl version --failpoints`), so none can be forgotten. A case proves its crash:
pawl must die by SIGKILL after it has printed the point's name. A point that no scenario reaches fails the test.

    crash_points_test.py --binary build/dev/pawl [--seed N] [--only after:send_bulk]
"""

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from program import TABLE_SQL, Program

from lab.servers import MariaDB, SearchServer, TemporaryFolder

HITS = (1, 3)  # the first time, and once in the middle of things
ENTITIES = 300
ROWS_AT_FIRST = 600
ROWS_BETWEEN = 60  # written between the kill and the restart: what a replay must not overtake
POINT_SECONDS_MAX = 10  # for a daemon to come to its crash point
LIMITS = "batch_documents = 40\nbatches_open = 3"
# Points of changes that nothing asks for yet: gaps are kept, not closed, in this version.
NOT_YET = {"before:write_journal/close_gaps", "after:write_journal/close_gaps"}


class History:
    """The table, and a writer of random changes to it."""

    def __init__(self, database, seed):
        self.random = random.Random(seed)
        self.versions = {}
        self.connection = database.connect(database="karp")
        self.connection.cursor().execute(TABLE_SQL.format(table="lex"))
        self.write(ROWS_AT_FIRST)

    def write(self, rows):
        for _ in range(rows):
            body = {"word": f"w{self.random.randrange(10**6)}", "n": self.random.randrange(10**6)}
            if self.random.random() < 0.02:
                body["n"] = "not a number"  # the index will refuse it
            self.insert(f"e{self.random.randrange(ENTITIES)}", body, self.random.random() < 0.15)

    def mend(self, entities):
        """A newer row that the index takes."""
        for entity in entities:
            self.insert(entity, {"word": "mended"}, False)

    def spoil(self):
        """A row that the index will refuse, so that the quarantine is not empty."""
        self.insert("spoiled", {"n": "not a number"}, False)

    def insert(self, entity, body, discarded):
        version = self.versions[entity] = self.versions.get(entity, 0) + 1
        with self.connection.cursor() as cursor:
            row = (entity, version, json.dumps(body), discarded)
            cursor.execute("INSERT INTO lex (entity_id, version, body, discarded) VALUES (%s, %s, %s, %s)", row)


# Scenarios: each brings a pawl to the point, or it ends without having reached it.

def first_fill(program, failpoint, _history):
    return program.run("sync", failpoint=failpoint)


def server_down(program, failpoint, _history):
    """A journal that knows the pipeline, and an index that does not answer."""
    program.must("sync")
    program.edit(program.index.url, "http://127.0.0.1:9")
    try:
        return run_until_dead(program, failpoint, lambda: None)
    finally:
        program.edit("http://127.0.0.1:9", program.index.url)


def operator_retries(program, failpoint, history):
    """A running daemon, and a person who wants its quarantine tried again."""
    history.spoil()
    program.must("sync")
    return run_until_dead(
        program, failpoint, lambda: [program.run("quarantine", "retry", "--all") for _ in range(max(HITS))]
    )


def operator_drops(program, failpoint, history):
    """The same, and a person who gives the quarantine up: those entities stay out until their next row."""
    history.spoil()
    program.must("sync")
    dropped = program.quarantine()
    done = run_until_dead(program, failpoint, lambda: program.run("quarantine", "drop", "--all"))
    history.mend(dropped)
    return done


def run_until_dead(program, failpoint, disturb):
    """`pawl run`, with `disturb()` once it holds the journal; it is told to stop when the point does not come."""
    environment = dict(os.environ, PAWL_FAILPOINT=failpoint)
    with subprocess.Popen(program.pawl.command("run"), env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            program.wait_until_running(process)
            disturb()
            stderr = process.communicate(timeout=POINT_SECONDS_MAX)[1]
        except subprocess.TimeoutExpired:
            process.terminate()
            stderr = process.communicate(timeout=POINT_SECONDS_MAX)[1]
        return subprocess.CompletedProcess([], process.returncode, "", stderr)


SCENARIOS = {"set_condition": server_down, "retry_quarantine": operator_retries, "drop_quarantine": operator_drops}


def crash(program, point, hit, history):
    """Whether pawl was killed at the hit-th time; a pawl that ended in any other way than well is a failure."""
    scenario = SCENARIOS.get(point.rpartition("/")[2], first_fill)
    done = scenario(program, f"{point}:{hit}", history)
    if done.returncode == -signal.SIGKILL and f"failpoint {point}\n" in done.stderr:
        return True
    if done.returncode != 0:
        raise AssertionError(f"{program.name}: exit {done.returncode} without a crash at {point}\n{done.stderr}")
    return False


def run(options):
    points = subprocess.run([options.binary, "version", "--failpoints"], capture_output=True, text=True, check=True)
    points = [point for point in points.stdout.split() if options.only in (None, point)]
    if not points:
        raise AssertionError("the binary names no such crash point")
    crashes, unreached = 0, set()
    with TemporaryFolder() as folder, MariaDB(folder / "db") as database:
        database.execute("CREATE DATABASE karp")
        with SearchServer("elasticsearch-8.19.7", folder / "es") as index:
            history = History(database, options.seed)
            for number, (point, hit) in enumerate((point, hit) for point in points for hit in HITS):
                program = Program(options.binary, folder, f"case-{number}", database, index, limits=LIMITS)
                died = crash(program, point, hit, history)
                history.write(ROWS_BETWEEN)
                program.must("sync")
                program.check_equal(history.connection)
                program.remove_index()
                crashes += died
                if not died and hit == 1:
                    unreached.add(point)
                print(f"{point}:{hit} {'killed and healed' if died else 'not reached'}", flush=True)
    if unreached - NOT_YET:
        raise AssertionError(f"never reached: {sorted(unreached - NOT_YET)}")
    return crashes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", help="one crash point")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    print(f"{run(options)} crashes, every document right after each")


if __name__ == "__main__":
    main()
