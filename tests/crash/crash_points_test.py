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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from lab.compare import compare
from lab.pawl import Pawl, Pipeline, write_config
from lab.servers import MariaDB, SearchServer, TemporaryFolder

HITS = (1, 3)  # the first time, and once in the middle of things
ENTITIES = 300
ROWS_AT_FIRST = 600
ROWS_BETWEEN = 60  # written between the kill and the restart: what a replay must not overtake
RUN_SECONDS_MAX = 60
# Points of changes that nothing asks for yet. Gaps are kept, not closed, in this version.
NOT_YET = {"before:write_journal/close_gaps", "after:write_journal/close_gaps"}

MAPPING = {
    "settings": {"number_of_replicas": 0},
    "mappings": {"properties": {"word": {"type": "keyword"}, "n": {"type": "integer"}}},
}
TABLE_SQL = """
CREATE TABLE lex (
  history_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  entity_id VARCHAR(64) NOT NULL, version INT NOT NULL, body JSON NOT NULL, discarded BOOL,
  UNIQUE (entity_id, version)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
"""


class History:
    """The table, and a writer of random changes to it."""

    def __init__(self, database, seed):
        self.random = random.Random(seed)
        self.versions = {}
        self.connection = database.connect(database="karp")
        self.connection.cursor().execute(TABLE_SQL)
        self.write(ROWS_AT_FIRST)

    def write(self, rows):
        with self.connection.cursor() as cursor:
            for _ in range(rows):
                entity = f"e{self.random.randrange(ENTITIES)}"
                version = self.versions[entity] = self.versions.get(entity, 0) + 1
                body = {"word": f"w{self.random.randrange(10**6)}", "n": self.random.randrange(10**6)}
                if self.random.random() < 0.02:
                    body["n"] = "not a number"  # the index will refuse it
                row = (entity, version, json.dumps(body), self.random.random() < 0.15)
                cursor.execute("INSERT INTO lex (entity_id, version, body, discarded) VALUES (%s, %s, %s, %s)", row)
        self.connection.commit()


class Case:
    """One alias and one journal of their own, on the shared servers and history."""

    def __init__(self, name, options, folder, servers, history):
        self.name, self.history, self.index = name, history, servers.index
        self.folder = folder / name
        self.folder.mkdir()
        self.pipeline = Pipeline("lex", "lex", name, fields={"_version_of_entry": "version"})
        mapping = self.folder / "index.json"
        mapping.write_text(json.dumps(MAPPING))
        self.write_config(options, servers, [servers.index.url], mapping)
        self.pawl = Pawl(options.binary, self.folder / "pawl.toml", self.folder / "log")

    def write_config(self, options, servers, urls, mapping):
        config = self.folder / "pawl.toml"
        mariadb = {"socket": str(servers.database.socket), "database": "karp", "user": "root"}
        write_config(config, self.folder / "journal", mariadb, urls, self.pipeline, mapping)
        with config.open("a") as file:
            file.write("\n[pipeline.limits]\nbatch_documents = 40\nbatches_open = 3\npoll_interval = '50ms'\n")

    def command(self, *arguments, point=None, hit=1):
        """Runs pawl to its end; `point` is the crash point to die at."""
        environment = dict(os.environ)
        if point:
            environment["PAWL_FAILPOINT"] = f"{point}:{hit}"
        return subprocess.run(
            self.pawl.command(*arguments), env=environment, capture_output=True, text=True,
            timeout=RUN_SECONDS_MAX, check=False,
        )

    def must_succeed(self, *arguments):
        done = self.command(*arguments)
        if done.returncode != 0:
            raise AssertionError(f"{self.name}: pawl {' '.join(arguments)} exited with {done.returncode}\n{done.stderr}")
        return done

    def died_at(self, done, point):
        """Whether the crash is proven; a pawl that died in any other way is a failure of its own."""
        proven = done.returncode == -signal.SIGKILL and f"failpoint {point}\n" in done.stderr
        if not proven and done.returncode not in (0, 3):
            raise AssertionError(f"{self.name}: exit {done.returncode} without a crash at {point}\n{done.stderr}")
        return proven

    def fetch(self, method, path, body):
        return self.index.client().request(method, path, body).ok()

    def remove_index(self):
        for index in self.fetch("GET", f"/{self.name}/_alias", None):
            self.fetch("DELETE", f"/{index}", None)

    def check_equal(self):
        """The journal owes nothing and the index is the history."""
        open_batches = self.pawl.open_batches()
        if open_batches:
            raise AssertionError(f"{self.name}: open after sync: {open_batches}")
        report = compare(self.fetch, self.history.connection, self.pipeline,
                         self.pawl.quarantined(self.pipeline.name))
        if not report.ok:
            raise AssertionError(f"{self.name}: {report}\n{self.pawl.text('dump')}")


# Scenarios: each brings a pawl to the point, or says that it was not reached.

def first_fill(case, point, hit):
    return case.command("sync", point=point, hit=hit)


def server_down(case, point, hit):
    """A journal that knows the pipeline, and an index that does not answer."""
    case.must_succeed("sync")
    config = case.folder / "pawl.toml"
    right = config.read_text()
    config.write_text(right.replace(case.index.url, "http://127.0.0.1:9"))
    try:
        return run_until_dead(case, point, hit, lambda: None)
    finally:
        config.write_text(right)


def operator_asks(case, point, hit):
    """A running daemon, and a person who looks after its quarantine."""
    case.must_succeed("sync")
    return run_until_dead(case, point, hit, lambda: [case.command("quarantine", ask, "--all") for ask in ("retry", "drop")])


def run_until_dead(case, point, hit, disturb):
    """`pawl run`, with `disturb()` once it holds the journal; it is stopped when the point does not come."""
    environment = dict(os.environ, PAWL_FAILPOINT=f"{point}:{hit}")
    with subprocess.Popen(case.pawl.command("run"), env=environment, stderr=subprocess.PIPE, text=True) as process:
        case.pawl.process = process
        try:
            case.pawl.log.touch()
            case.pawl.poll(lambda: case.pawl.json("status")["running"], "start", RUN_SECONDS_MAX)
            disturb()
            stderr = process.communicate(timeout=10)[1]
        except subprocess.TimeoutExpired:
            process.terminate()
            stderr = process.communicate(timeout=10)[1]
        return subprocess.CompletedProcess([], process.returncode, "", stderr)


SCENARIOS = {"set_condition": server_down, "retry_quarantine": operator_asks, "drop_quarantine": operator_asks}


def scenario_of(point):
    return SCENARIOS.get(point.rpartition("/")[2], first_fill)


class Servers:
    def __init__(self, database, index):
        self.database, self.index = database, index


def run(options):
    points = subprocess.run([options.binary, "version", "--failpoints"], capture_output=True, text=True, check=True)
    points = [point for point in points.stdout.split() if options.only in (None, point)]
    if not points:
        raise AssertionError("the binary names no crash point")
    crashes, unreached = 0, []
    with TemporaryFolder() as folder, MariaDB(folder / "db") as database:
        database.execute("CREATE DATABASE karp")
        with SearchServer("elasticsearch-8.19.7", folder / "es") as index:
            servers, history = Servers(database, index), History(database, options.seed)
            for point in points:
                for hit in HITS:
                    case = Case(f"case-{len(list(folder.iterdir()))}", options, folder, servers, history)
                    died = case.died_at(scenario_of(point)(case, point, hit), point)
                    history.write(ROWS_BETWEEN)
                    case.must_succeed("sync")
                    case.check_equal()
                    case.remove_index()
                    crashes += died
                    if not died and hit == 1:
                        unreached.append(point)
                    print(f"{point}:{hit} {'killed and healed' if died else 'not reached'}", flush=True)
    if set(unreached) - NOT_YET:
        raise AssertionError(f"never reached: {sorted(set(unreached) - NOT_YET)}")
    return crashes


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", help="one crash point")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    crashes = run(options)
    print(f"{crashes} crashes, every document right after each")


if __name__ == "__main__":
    main()
