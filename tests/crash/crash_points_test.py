#!/usr/bin/python3
"""Kills a real pawl at every crash point of its binary, restarts it, and compares every document.

The points are asked of the binary (`pawl version --failpoints`), so none can be forgotten; one run of each scenario
counts how often it passes each of them. Then each point kills at its 1st, its 2nd and a random later hit, each time
in a scenario drawn among those that come so far, of either mode alike where both do. A case proves its crash: pawl
must die by SIGKILL after it has printed the point's name. A point that no scenario reaches fails the test; with --mode
only those are passed over that this mode has not.

    crash_points_test.py --binary build/dev/pawl [--seed N] [--only after:send_bulk] [--each 3] [--mode outbox]
"""

import argparse
import collections
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "crash")]

from program import Program
from scenarios import ROWS_BETWEEN, SCENARIOS, History, Outbox, counts_in

from lab.servers import MariaDB, SearchServer, TemporaryFolder


class Case:
    """One scenario with a table, journal and alias of its own, on servers that are shared."""

    made = 0

    def __init__(self, scenario, servers, seed):
        Case.made += 1
        self.name = f"case-{Case.made}"
        table = f"lex_{Case.made}"
        self.scenario = scenario()
        self.history = History(servers.database, table, f"{seed}/{Case.made}")
        self.program = Program(servers.binary, servers.folder, self.name, servers.database, servers.index, table,
                               self.scenario.limits)  # fmt: skip

    def run(self, failpoint):
        self.scenario.prepare(self.program, self.history)
        try:
            return self.scenario.act(self.program, failpoint, self.history)
        finally:
            self.scenario.clear(self.program, self.history)

    def heal(self):
        """Restarts pawl after more was written and compares every document; returns (how many, recovery's labels)."""
        self.history.write(ROWS_BETWEEN)
        done = self.program.must("sync")
        report = self.program.check_equal(self.history.connection)
        if self.program.has_outbox:
            self.check_outbox()
        self.program.remove_index()
        self.history.close()
        return report.documents, re.findall(r"\b(R\d\d)\b", done.stderr)


    def check_outbox(self):
        """Nothing waits in it but what is in quarantine."""
        with self.history.connection.cursor() as cursor:
            cursor.execute(f"SELECT DISTINCT entity FROM pawl_outbox_{self.history.table}_state")
            waiting = {entity for (entity,) in cursor.fetchall()}
        quarantined = set(self.program.quarantine())
        assert waiting == quarantined, f"{self.name}: the outbox has {waiting}, in quarantine is {quarantined}"


def mode_of(scenario):
    return "outbox" if issubclass(scenario, Outbox) else "revision"


class Servers:
    def __init__(self, binary, folder, database, index):
        self.binary, self.folder, self.database, self.index = binary, folder, database, index


class Campaign:
    def __init__(self, servers, points, seed, mode):
        self.servers, self.points, self.seed, self.mode = servers, points, seed, mode
        self.random = random.Random(seed)
        self.reached = {}  # point: {scenario: hits}
        self.crashes = self.documents = 0
        self.labels = collections.Counter()

    def count(self):
        """Runs each scenario to its end and notes how often it passes each point."""
        self.reached = {point: {} for point in self.points}
        for scenario in SCENARIOS:
            if self.mode not in (None, mode_of(scenario)):
                continue
            case = Case(scenario, self.servers, self.seed)
            done = case.run("count")
            if done.returncode != 0:
                raise AssertionError(f"{scenario.__name__}: exit {done.returncode}\n{done.stderr}")
            case.heal()
            for point, hits in counts_in(done.stderr).items():
                if hits and point in self.reached:
                    self.reached[point][scenario] = hits
        never = {point for point, scenarios in self.reached.items() if not scenarios}
        if self.mode:
            self.points = [point for point in self.points if point not in never]
        elif never:
            raise AssertionError(f"never reached: {sorted(never)}")

    def crash_everywhere(self, each):
        for point in self.points:
            for hit in self.random.sample(self.hits_of(point), each):
                self.crash(point, hit)

    def hits_of(self, point):
        """The hits to crash at: the first, the second, a later one; the first again where there are no others."""
        most = max(self.reached[point].values())
        # How often a point is passed differs from run to run, so the last ones are left out.
        later = self.random.randint(3, max(3, most * 3 // 4)) if most >= 3 else 1
        return [1, 2 if most >= 2 else 1, later]

    def crash(self, point, hit):
        """Crashes there and heals; a point that is not passed so often this time is tried at an earlier hit, and one
        that is not passed at all in another scenario: CrashedBefore is not the same run twice."""
        reached = dict(self.reached[point])
        while reached:
            mode = self.random.choice(sorted({mode_of(scenario) for scenario, hits in reached.items() if hits >= hit}))
            fit = [scenario for scenario, hits in reached.items() if hits >= hit and mode_of(scenario) == mode]
            [scenario] = self.random.choices(fit, [each.weight for each in fit])
            case = Case(scenario, self.servers, self.seed)
            died = self.died(case.run(f"{point}:{hit}"), point, case.name)
            documents, labels = case.heal()
            self.documents += documents
            self.labels.update(labels)
            print(f"{point}:{hit} {scenario.__name__}: {'killed and healed' if died else 'not reached'} "
                  f"({' '.join(dict.fromkeys(labels))})", flush=True)  # fmt: skip
            if died:
                self.crashes += 1
                return
            if hit == 1:
                del reached[scenario]
            else:
                hit = (hit + 1) // 2
        names = ", ".join(scenario.__name__ for scenario in self.reached[point])
        raise AssertionError(f"{point}:1 was counted in {names} but is not reached now")

    @staticmethod
    def died(done, point, name):
        """Whether pawl was killed there; a pawl that ended in any other way than well is a failure."""
        if done.returncode == -signal.SIGKILL and done.stderr.endswith(f"failpoint {point}\n"):
            return True
        if done.returncode != 0:
            raise AssertionError(f"{name}: exit {done.returncode} without a crash at {point}\n{done.stderr}")
        return False


def run(options):
    points = subprocess.run([options.binary, "version", "--failpoints"], capture_output=True, text=True, check=True)
    points = [point for point in points.stdout.split() if options.only in (None, point)]
    if not points:
        raise AssertionError("the binary names no such crash point")
    with TemporaryFolder() as folder, MariaDB(folder / "db") as database:
        database.execute("CREATE DATABASE karp")
        with SearchServer("elasticsearch-8.19.7", folder / "es") as index:
            servers = Servers(options.binary, folder, database, index)
            campaign = Campaign(servers, points, options.seed, options.mode)
            campaign.count()
            campaign.crash_everywhere(options.each)
    return campaign


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", help="one crash point")
    parser.add_argument("--each", type=int, choices=(1, 2, 3), default=1,
                        help="crashes at each point: 3, as in the campaign, are its 1st, its 2nd and a later hit; fewer "
                        "are drawn among them")  # fmt: skip
    parser.add_argument("--mode", choices=("revision", "outbox"), help="scenarios of this mode only")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    began = time.monotonic()
    campaign = run(options)
    labels = ", ".join(f"{label} {times}" for label, times in sorted(campaign.labels.items()))
    print(f"{campaign.crashes} crashes at {len(campaign.points)} points, {campaign.documents:,} documents compared, "
          f"all right; recovery: {labels}; {time.monotonic() - began:.0f} s, seed {options.seed}")  # fmt: skip


if __name__ == "__main__":
    main()
