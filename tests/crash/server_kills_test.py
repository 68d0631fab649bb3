#!/usr/bin/python3
"""The servers die under load: Elasticsearch by SIGKILL, MariaDB by SIGKILL, both with pawl at once. pawl is stopped
(SIGSTOP) for longer than its request timeout and than tombstones live, and wakes up (SIGCONT). After each, everything
converges and no deleted document rises again.

    server_kills_test.py --binary build/dev/pawl [--rounds elasticsearch=20,mariadb=20,all=5,stop=3] [--seed N]
"""

import argparse
import pathlib
import random
import signal
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "crash")]

from load import GC_DELETES_SECONDS, Graves, Load

from lab.progress import Progress
from lab.servers import MariaDB, SearchServer, TemporaryFolder

CAMPAIGN = "elasticsearch=20,mariadb=20,all=5,stop=3"
ROUNDS = "elasticsearch=1,mariadb=1,all=1,stop=1"
ROWS_BEFORE = 300  # so that there is load when the server dies
ROWS_MEANWHILE = 2_000
UNDER_LOAD_SECONDS_MAX = 1.0
MORTALS = 20
STOP_SECONDS = GC_DELETES_SECONDS + 2
LIMITS = "batch_documents = 50\nbatches_open = 4"
RSS_MB_MAX = 50
DESCRIPTORS_MAX = 32


class Rounds:
    def __init__(self, load, graves, database, index, seed):
        self.load, self.graves, self.database, self.index = load, graves, database, index
        self.random = random.Random(f"{seed}/rounds")
        self.done = {}
        self.documents = 0

    def round(self, kind):
        """One fault under load, then peace: every document is right, and what was deleted is gone for good."""
        mortals = self.graves.born(MORTALS)
        self.load.write(ROWS_BEFORE)
        self.load.let_write(ROWS_MEANWHILE)
        self.graves.edit(mortals)
        time.sleep(self.random.uniform(0, UNDER_LOAD_SECONDS_MAX))
        getattr(self, kind)(mortals)
        self.documents += self.load.catch_up()
        self.graves.bury(mortals)
        self.done[kind] = self.done.get(kind, 0) + 1

    def elasticsearch(self, mortals):
        self.index.kill()
        self.graves.delete(mortals)
        self.index.start()

    def mariadb(self, mortals):
        self.graves.delete(mortals)
        self.database.kill()
        self.database.start()
        self.load.connection.ping(reconnect=True)

    def all(self, mortals):
        self.graves.delete(mortals)
        for victim in self.random.sample([self.index, self.database, self.load.pawl], 3):
            victim.kill()
        self.load.start()  # it finds no server at all
        self.database.start()
        self.index.start()
        self.load.connection.ping(reconnect=True)

    def stop(self, mortals):
        self.load.pawl.process.send_signal(signal.SIGSTOP)
        self.graves.delete(mortals)
        time.sleep(STOP_SECONDS)
        self.load.pawl.process.send_signal(signal.SIGCONT)


def parse_rounds(text):
    return [kind for part in text.split(",") for kind, times in [part.split("=")] for _ in range(int(times))]


def run(options):
    show = Progress()
    kinds = parse_rounds(options.rounds)
    with TemporaryFolder() as folder, MariaDB(folder / "db") as database:
        with SearchServer("elasticsearch-8.19.7", folder / "es") as index:
            load = Load(options.binary, folder, database, index, options.seed, limits=LIMITS)
            with load, Graves(load) as graves:
                rounds = Rounds(load, graves, database, index, options.seed)
                load.start()
                for kind in kinds:
                    rounds.round(kind)
                    show.say(f"{kind} {rounds.done[kind]}: converged")
                load.pawl.stop()
                tally = load.writers.stop()
                load.resources.check(RSS_MB_MAX, DESCRIPTORS_MAX)
            graves.check()
    print(f"{rounds.done}: {tally.rows:,} rows, {tally.deletes:,} deletes, {tally.readds:,} re-adds, {tally.lost} "
          f"transactions lost with the server; {rounds.documents:,} documents compared, all right; {graves.count()} "
          f"graves, {graves.looks} looks, none rose; {load.resources}; {show.seconds():.0f} s, seed {options.seed}")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--rounds", default=ROUNDS, help=f"in the campaign: {CAMPAIGN}")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    run(options)


if __name__ == "__main__":
    main()
