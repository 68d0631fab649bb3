#!/usr/bin/python3
"""A network that lies lies between pawl and Elasticsearch, and between pawl and MariaDB, while several writers work.
After each fault (and under those that are only slow: while it lasts) everything converges; pawl's memory and
descriptors stay bounded throughout, and no deleted document rises again.

    network_test.py --binary build/dev/pawl [--cases all | index/reset_requests,mariadb/swallow] [--seed N]
"""

import argparse
import pathlib
import random
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "crash")]

from load import DATABASE, GC_DELETES_SECONDS, Graves, Load

from lab.network import Fault, Network
from lab.progress import Progress
from lab.servers import MariaDB, SearchServer, TemporaryFolder

TIMEOUT_SECONDS = 4  # of a request to the index, and of MariaDB's silence; below half of gc_deletes
LATENCY_SECONDS = 1.0  # each way: an answer takes two seconds longer
SLOW_BYTES_PER_SECOND = 5_000
STRIKES = 12  # so often a fault must strike before it is taken away
STRIKES_SECONDS_MAX = 60
SILENCE_SECONDS = TIMEOUT_SECONDS + 2
ROWS = 1_000
ROWS_UNDER_STRIKES = 20_000  # there is always more to send than the fault lets through
ROWS_WHEN_SLOW = 100
MORTALS = 10
LARGE_DOCUMENTS = 25  # of LARGE_BYTES: as one request they need more than the timeout on a slow line
LARGE_BYTES = 2_000
SLOW_SECONDS_MAX = 400  # 6 batches of some 20 round trips, two seconds each
LIMITS = "batch_documents = 25\nbatches_open = 4"
RSS_MB_MAX = 50
DESCRIPTORS_MAX = 32
CONNECTIONS_MAX = 16  # that the proxy has open at a time: requests in flight, and those that time out

SHARE = 0.3
RESETS = {"reset_requests": Fault(reset_requests=SHARE), "reset_answers": Fault(reset_answers=SHARE),
          "cut_answers": Fault(cut_answers=SHARE)}  # fmt: skip
STRIKING = {f"{side}/{name}": fault for side in ("index", "mariadb") for name, fault in RESETS.items()} | {
    "index/shorten_json": Fault(shorten_json=SHARE)
}
SILENT = {f"{side}/{name}": fault for side in ("index", "mariadb") for name, fault in {
    "swallow": Fault(swallow=True), "half_open": Fault(half_open=True),
    # Each request arrives, but when nobody waits for it any more.
    "late_delivery": Fault(latency_seconds=TIMEOUT_SECONDS + 1)}.items()}  # fmt: skip
SLOW = {f"{side}/{name}": fault for side in ("index", "mariadb") for name, fault in {
    "latency": Fault(latency_seconds=LATENCY_SECONDS),
    "slow": Fault(bytes_per_second=SLOW_BYTES_PER_SECOND)}.items()}  # fmt: skip
LARGE = {"index/slow_and_large": Fault(bytes_per_second=SLOW_BYTES_PER_SECOND)}
ALL = STRIKING | SILENT | SLOW | LARGE
CASES = "index/reset_requests,index/shorten_json,mariadb/reset_answers,index/half_open,mariadb/swallow,index/slow"


class Cases:
    def __init__(self, load, graves, networks, seed):
        self.load, self.graves, self.networks = load, graves, networks
        self.random = random.Random(f"{seed}/cases")
        self.documents = self.strikes = self.connections_max = 0

    def run(self, name):
        network, fault = self.networks[name.partition("/")[0]], ALL[name]
        mortals = self.graves.born(MORTALS)
        self.load.write(ROWS)
        struck = network.done
        if name in STRIKING:
            self.strike(network, fault, mortals)
        elif name in SILENT:
            self.silence(network, fault, mortals)
        else:
            self.slow(network, fault, mortals, large=name in LARGE)
        network.fault = Fault()
        self.documents += self.load.catch_up()
        self.graves.bury(mortals)
        self.strikes += network.done - struck
        return network.done - struck

    def strike(self, network, fault, mortals):
        self.load.let_write(ROWS_UNDER_STRIKES)
        struck = network.done
        network.fault = fault
        self.graves.delete(mortals)
        self.watch_until(lambda: network.done >= struck + STRIKES, STRIKES_SECONDS_MAX)
        self.load.pause()

    def silence(self, network, fault, mortals):
        self.load.let_write(ROWS)
        network.fault = fault
        self.graves.delete(mortals)
        end = time.monotonic() + SILENCE_SECONDS
        self.watch_until(lambda: time.monotonic() >= end, 2 * SILENCE_SECONDS)

    def slow(self, network, fault, mortals, large):
        self.load.catch_up()
        network.fault = fault
        self.load.write(ROWS_WHEN_SLOW)
        self.graves.delete(mortals)
        if large:
            for number in range(LARGE_DOCUMENTS):
                self.load.insert(f"large-{number}", "UPDATED", {"text": "y" * LARGE_BYTES})
        self.documents += self.load.catch_up(SLOW_SECONDS_MAX)  # while it lasts

    def watch_until(self, condition, seconds_max):
        end = time.monotonic() + seconds_max
        while not condition():
            self.load.pawl.check_alive()
            self.connections_max = max([self.connections_max, *(each.connections for each in self.networks.values())])
            assert time.monotonic() < end, f"{condition}: not within {seconds_max} s"
            time.sleep(0.05)


def run(options):
    show = Progress()
    names = list(ALL) if options.cases == "all" else options.cases.split(",")
    with TemporaryFolder() as folder, MariaDB(folder / "db") as database:
        with SearchServer("elasticsearch-8.19.7", folder / "es") as index, \
             Network(index.port, options.seed) as to_index, Network(database.port, options.seed) as to_mariadb:  # fmt: skip
            networks = {"index": to_index, "mariadb": to_mariadb}
            load = Load(options.binary, folder, database, index, options.seed, limits=LIMITS, urls=[to_index.url],
                        mariadb=user_of(database, folder, to_mariadb.port), timeout_seconds=TIMEOUT_SECONDS)  # fmt: skip
            with load, Graves(load) as graves:
                cases = Cases(load, graves, networks, options.seed)
                load.start()
                for name in names:
                    struck = cases.run(name)
                    show.say(f"{name}: converged" + (f", struck {struck} times" if struck else ""))
                load.pawl.stop()
                tally = load.writers.stop()
                load.resources.check(RSS_MB_MAX, DESCRIPTORS_MAX)
            graves.check()
    assert cases.connections_max <= CONNECTIONS_MAX, f"{cases.connections_max} connections at a time"
    print(f"{len(names)} faults, {cases.strikes} strikes; {tally.rows:,} rows; {cases.documents:,} documents compared, "
          f"all right; {graves.count()} graves, {graves.looks} looks, none rose; {load.resources}, at most "
          f"{cases.connections_max} connections to a server; {show.seconds():.0f} s, seed {options.seed}")  # fmt: skip


def user_of(database, folder, port):
    """A user of its own, since the network is reached by TCP."""
    database.execute(f"CREATE DATABASE {DATABASE}")
    database.create_user("pawl", "through-the-network", [f"SELECT, LOCK TABLES ON {DATABASE}.*"])
    password = folder / "password"
    password.write_text("through-the-network\n", encoding="utf-8")
    password.chmod(0o600)
    return {"host": "127.0.0.1", "port": port, "user": "pawl", "password_file": str(password)}


def main():
    assert TIMEOUT_SECONDS < GC_DELETES_SECONDS / 2
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--cases", default=CASES, help="all in the campaign: " + ", ".join(ALL))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    run(options)


if __name__ == "__main__":
    main()
