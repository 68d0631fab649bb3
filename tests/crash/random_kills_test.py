#!/usr/bin/python3
"""Kills pawl with SIGKILL at random times, while several writers change the history: transactions that are committed
out of order or rolled back, deletes, entities that come back. Every document is right after each block of kills, and
no deleted entity is ever seen again.

    random_kills_test.py --binary build/dev/pawl [--kills N] [--seed N]
"""

import argparse
import pathlib
import random
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "crash")]

from load import PIPELINE, Graves, Load

from lab.pawl import PawlError
from lab.progress import Progress
from lab.servers import MariaDB, SearchServer, TemporaryFolder

KILLS = 20
KILLS_IN_BLOCK = 10  # between two comparisons of every document
EARLY_SHARE = 0.3  # of the kills come while pawl starts and recovers
EARLY_SECONDS_MAX = 0.2
LIFE_SECONDS_MAX = 1.5
ROWS_PER_KILL = 400
MORTALS_PER_KILL = 2
LIMITS = "batch_documents = 50\nbatches_open = 4"
RSS_MB_MAX = 50
DESCRIPTORS_MAX = 32


class Kills:
    def __init__(self, load, graves, seed):
        self.load, self.graves = load, graves
        self.random = random.Random(f"{seed}/kills")
        self.dead = []  # deleted in this block
        self.kills = self.documents = 0
        self.with_open_batches = self.most_open_batches = 0
        self.high = 0

    def block(self, kills):
        for _ in range(kills):
            self.kill()
        self.load.start()
        self.documents += self.load.catch_up()
        self.graves.bury(self.dead)
        self.dead = []
        self.load.pawl.kill()

    def kill(self):
        self.load.let_write(ROWS_PER_KILL)
        mortals = self.graves.born(MORTALS_PER_KILL)
        self.load.start()
        early = self.random.random() < EARLY_SHARE
        time.sleep(self.random.uniform(0, EARLY_SECONDS_MAX if early else LIFE_SECONDS_MAX))
        self.graves.delete(mortals)
        self.dead += mortals
        self.load.pawl.kill()
        self.kills += 1
        self.look_at_journal()

    def look_at_journal(self):
        try:
            open_batches = len(self.load.pawl.open_batches())
            status = self.load.pawl.status(PIPELINE.name)
        except PawlError:
            assert self.high == 0, "there was a journal, and now it cannot be read"
            return  # killed before it made one
        self.with_open_batches += open_batches > 0
        self.most_open_batches = max(self.most_open_batches, open_batches)
        high = status["high"] if status else 0
        assert high >= self.high, f"high went back from {self.high} to {high}"
        self.high = high


def run(options):
    show = Progress()
    with TemporaryFolder() as folder, MariaDB(folder / "db") as database:
        with SearchServer("elasticsearch-8.19.7", folder / "es") as index:
            load = Load(options.binary, folder, database, index, options.seed, limits=LIMITS)
            with load, Graves(load) as graves:
                kills = Kills(load, graves, options.seed)
                while kills.kills < options.kills:
                    kills.block(min(KILLS_IN_BLOCK, options.kills - kills.kills))
                    show.say(f"{kills.kills} kills, {load.writers.rows:,} rows, {kills.with_open_batches} left batches open")
                tally = load.writers.stop()
                load.resources.check(RSS_MB_MAX, DESCRIPTORS_MAX)
            graves.check()
    assert kills.with_open_batches > 0, "no kill struck while a batch was open: nothing was shown"
    print(f"{kills.kills} kills at random times, {kills.with_open_batches} of them with open batches "
          f"(at most {kills.most_open_batches}); {tally.rows:,} rows, {tally.deletes:,} deletes, "
          f"{tally.readds:,} re-adds, {tally.rollbacks} rollbacks; {kills.documents:,} documents compared, all right; "
          f"{graves.count()} graves, {graves.looks} looks, none rose; {load.resources}; {show.seconds():.0f} s, "
          f"seed {options.seed}")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--kills", type=int, default=KILLS, help="200 in the campaign")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    run(options)


if __name__ == "__main__":
    main()
