#!/usr/bin/python3
"""A cluster of three Elasticsearch nodes with one replica, under load: the node that has the primary dies by SIGKILL, a
replica takes its place, the node comes back. Every document is right each time, and no deleted one rises again.

    cluster_test.py --binary build/dev/pawl [--kills N] [--seed N]
"""

import argparse
import pathlib
import random
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "crash")]

from load import ALIAS, Graves, Load

from lab.cluster import Cluster
from lab.progress import Progress
from lab.servers import MariaDB, TemporaryFolder

NODES = 3
KILLS = 5
ROWS_BEFORE = 300
ROWS_MEANWHILE = 2_000
UNDER_LOAD_SECONDS_MAX = 1.0
MORTALS = 20
LIMITS = "batch_documents = 50\nbatches_open = 4"
RSS_MB_MAX = 50
DESCRIPTORS_MAX = 32


class Kills:
    def __init__(self, load, graves, cluster, seed):
        self.load, self.graves, self.cluster = load, graves, cluster
        self.random = random.Random(f"{seed}/kills")
        self.kills = self.masters = self.documents = 0

    def kill(self):
        """Converges while the node is away, and once more when it is back."""
        mortals = self.graves.born(MORTALS)
        self.load.write(ROWS_BEFORE)
        self.documents += self.load.catch_up()  # so that there is an index
        self.cluster.wait_for_health("green")
        victim = self.cluster.node_of_primary(ALIAS)
        self.masters += victim == self.cluster.master()
        self.load.let_write(ROWS_MEANWHILE)
        time.sleep(self.random.uniform(0, UNDER_LOAD_SECONDS_MAX))
        self.cluster.nodes[victim].kill()
        self.graves.delete(mortals)
        self.kills += 1
        self.documents += self.load.catch_up()
        self.graves.bury(mortals)
        survivor = self.cluster.node_of_primary(ALIAS)
        assert survivor != victim, "the primary is still where nobody is"
        self.load.let_write(ROWS_BEFORE)
        self.cluster.nodes[victim].start()
        self.cluster.wait_for_health("green")
        self.documents += self.load.catch_up()
        return victim, survivor


def run(options):
    show = Progress()
    with TemporaryFolder() as folder, MariaDB(folder / "db") as database, \
         Cluster("elasticsearch-8.19.7", folder / "es", NODES) as cluster:  # fmt: skip
        show.say(f"{NODES} nodes are up")
        load = Load(options.binary, folder, database, cluster, options.seed, limits=LIMITS, urls=cluster.urls, replicas=1)
        with load, Graves(load) as graves:
            kills = Kills(load, graves, cluster, options.seed)
            load.start()
            for number in range(1, options.kills + 1):
                victim, survivor = kills.kill()
                show.say(f"kill {number}: {victim}, the primary moved to {survivor}: converged")
            load.pawl.stop()
            tally = load.writers.stop()
            load.resources.check(RSS_MB_MAX, DESCRIPTORS_MAX)
        graves.check()
    print(f"{kills.kills} primaries killed, {kills.masters} of them the master too; {tally.rows:,} rows; "
          f"{kills.documents:,} documents compared, all right; {graves.count()} graves, {graves.looks} looks, none rose; "
          f"{load.resources}; {show.seconds():.0f} s, seed {options.seed}")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--kills", type=int, default=KILLS)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    run(options)


if __name__ == "__main__":
    main()
