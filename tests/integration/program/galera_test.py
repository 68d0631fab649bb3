#!/usr/bin/python3
"""Outbox mode on a real Galera cluster of two nodes: writers on both, pawl on one of them, by an address that can move.

The writers are those of the late-commit load: they meet on rows that all of them change, so that transactions of one node
lose against those of the other. Once another client renews rows of the outbox from the node that pawl is not on, just when
pawl's clean-up holds them: it loses (error 1213), and must be tried again. Then the address leads to a node that lags behind, as
if the outbox had gone back: pawl must wait for it. Then the node is killed that pawl is not on; it comes back, and
pawl's own is killed. At each rest the outbox is empty, the nodes are alike and the index is the table.

    PAWL_BINARY=build/dev/pawl galera_test.py [--seed N] [--rows N]
"""

import argparse
import os
import pathlib
import random
import signal
import sys

TESTS = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "load")]

from program import Program
from table_writers import TABLE_SQL, TableWriter, make_boundaries
from writers import Writers, make_words

from lab.galera import Galera
from lab.network import Network
from lab.servers import SearchServer, TemporaryFolder

BINARY = os.environ["PAWL_BINARY"]
LIMITS = "retry_delay_min = '20ms'\nretry_delay_max = '1s'\nbatch_documents = 200\ncheckpoint_interval = '1s'"
SECONDS_MAX = 120
TABLE_ROWS_SQL = "SELECT entity_id, version, body FROM lex ORDER BY entity_id"


def renew(node, outbox, rows):
    """Gives them new ids: what is to be done stays the same."""
    with node.connect(database="karp", autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {outbox} (entity) SELECT entity FROM {outbox} WHERE id IN %s", (rows,))
        cursor.execute(f"DELETE FROM {outbox} WHERE id IN %s", (rows,))
        connection.commit()


class Run:
    def __init__(self, options, folder, cluster, index, address):
        self.options, self.cluster, self.address = options, cluster, address
        self.here, self.there = cluster.nodes
        address.lead_to(self.here.port)
        self.here.execute("CREATE DATABASE karp", "GRANT ALL ON *.* TO 'pawl'@'%' IDENTIFIED BY ''")
        with self.here.connect(database="karp") as connection:
            connection.cursor().execute(TABLE_SQL.format(table="lex"))
            make_words(connection)
            make_boundaries(connection)
        mariadb = {"host": "127.0.0.1", "port": address.port, "user": "pawl"}
        self.program = Program(BINARY, folder, "galera", self.here, index, limits=LIMITS, mode="outbox", mariadb=mariadb)
        self.pawl, self.outbox = self.program.pawl, self.program.pipeline.outbox
        self.program.must("outbox-sql", "--apply")
        self.there.catch_up()
        self.program.must("check")
        self.pawl.start()
        self.writers = Writers(cluster.nodes, folder, options.seed, TableWriter)

    def end(self):
        self.writers.end()
        self.pawl.end()

    def write(self, rows, what):
        """Until so many more are written, by whoever can."""
        goal = sum(self.writers.rows) + rows
        self.writers.go(0)
        self.pawl.poll(lambda: sum(self.writers.rows) >= goal, what, SECONDS_MAX, self.writers.check)

    def rest(self, *nodes):
        """The writers rest, and pawl must come to the end; `nodes` are those that are up, pawl's first."""
        self.writers.rest()
        with nodes[0].connect(database="karp") as connection:
            self.pawl.wait_until_caught_up(connection, self.program.pipeline, SECONDS_MAX)
            report = self.program.check_equal(connection)
        if len(nodes) == 2:
            nodes[1].catch_up()
            rows = [node.execute(TABLE_ROWS_SQL, database="karp") for node in nodes]
            assert rows[0] == rows[1], "the nodes differ"
        return report

    def lose_a_conflict(self):
        """pawl's clean-up waits for the last of its rows, and holds the others, when another node's transaction deletes one of
        those. The cluster rolls pawl's back."""
        self.writers.rest()
        process = self.pawl.process
        process.send_signal(signal.SIGSTOP)
        self.here.execute("INSERT INTO lex SELECT CONCAT('conflict-', id), 1, body FROM words LIMIT 100", database="karp")
        with self.here.connect(database="karp", autocommit=False) as holder:
            with holder.cursor() as cursor:
                cursor.execute(f"SELECT id FROM {self.outbox} ORDER BY id")
                rows = [row[0] for row in cursor]
                cursor.execute(f"SELECT id FROM {self.outbox} WHERE id = %s FOR UPDATE", (rows.pop(),))
            process.send_signal(signal.SIGCONT)
            before = self.aborts()
            self.pawl.poll(lambda: self.strike(rows, before), "a conflict that pawl loses", SECONDS_MAX)
        report = self.rest(self.here, self.there)
        print(f"pawl has lost a conflict: {report}")

    def aborts(self):
        """Transactions of pawl's node that were rolled back for another node's. pawl's log says a trouble once a minute only."""
        return int(self.here.status("local_bf_aborts"))

    def strike(self, rows, before):
        """Whether pawl has lost one; if it only waits now, another try."""
        # INNODB_TRX would not do: it is made anew only when nobody has looked for 0.1 s.
        [(_, waiting)] = self.here.execute("SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'")
        if int(waiting) and self.aborts() == before:
            renew(self.there, self.outbox, [rows.pop(0)])
        return self.aborts() > before

    def cut_reading(self, node):
        """pawl's connections to this node, but for the oldest, which holds the lease."""
        sql = "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'pawl' ORDER BY ID"
        for (number,) in node.execute(sql)[1:]:
            node.execute(f"KILL CONNECTION {number}")

    def waits_for_cluster(self, node):
        sql = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = 'pawl' AND INFO LIKE '%wsrep_sync_wait%'"
        condition = self.pawl.status("lex")["condition"]
        assert condition in ("RUNNING", "RETRYING"), condition
        return node.execute(sql)[0][0] > 0

    def moves_to_node_that_lags(self):
        """The other node applies nothing behind a row of a table that somebody has locked there."""
        self.writers.rest()
        self.here.execute("CREATE TABLE held (id INT PRIMARY KEY)", database="karp")
        self.there.catch_up()
        with self.there.connect(database="karp") as holder:
            holder.cursor().execute("LOCK TABLES held READ")
            self.here.execute(
                "INSERT INTO held VALUES (1)",
                "INSERT INTO held VALUES (2)",  # so that both of its applying threads wait
                "INSERT INTO lex SELECT CONCAT('lag-', id), 1, body FROM words LIMIT 100",
                database="karp",
            )
            with self.here.connect(database="karp") as connection:
                self.pawl.wait_until_caught_up(connection, self.program.pipeline, SECONDS_MAX)
            self.address.lead_to(self.there.port)
            self.cut_reading(self.here)
            self.pawl.poll(lambda: self.waits_for_cluster(self.there), "waiting for the node that lags", SECONDS_MAX)
        report = self.rest(self.there, self.here)
        self.address.lead_to(self.here.port)
        for (number,) in self.there.execute("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'pawl'"):
            self.there.execute(f"KILL CONNECTION {number}")
        self.rest(self.here, self.there)
        print(f"pawl has waited for a node that lagged: {report}")

    def both_nodes(self):
        self.write(self.options.rows, "writers on both nodes")
        report = self.rest(self.here, self.there)
        print(f"both nodes: {report}\n  {sum(self.writers.broken)} of the writers' transactions were broken off")

    def other_node_dies(self):
        """Then this one has no majority, and takes no statements until an operator says so."""
        self.writers.go(0)
        self.there.kill()
        self.here.wait_until_alone()
        before = self.pawl.log.stat().st_size
        self.pawl.poll(lambda: "1047" in self.log_since(before), "being told that there is no majority", SECONDS_MAX)
        self.here.go_on_alone()
        self.write(self.options.rows, "writers on the node that is left")
        print(f"the other node killed: {self.rest(self.here)}")

    def log_since(self, place):
        with self.pawl.log.open("rb") as log:
            log.seek(place)
            return log.read().decode(errors="replace")

    def own_node_dies(self):
        """The address moves to the other node, which has come back; so does pawl, by itself."""
        self.writers.go(0)
        self.cluster.rejoin(self.there)
        self.write(self.options.rows, "writers on both nodes, one of which has come back")
        self.here.kill()
        self.address.lead_to(self.there.port)
        self.there.wait_until_alone()
        self.there.go_on_alone()
        self.write(self.options.rows, "writers on the node that has come back")
        print(f"pawl's own node killed: {self.rest(self.there)}")


def run(options):
    with TemporaryFolder() as folder, SearchServer("elasticsearch-8.19.7", folder / "es") as index:
        with Galera(folder) as cluster, Network(cluster.nodes[0].port) as address:
            load = Run(options, folder, cluster, index, address)
            try:
                load.both_nodes()
                load.lose_a_conflict()
                load.moves_to_node_that_lags()
                load.other_node_dies()
                load.own_node_dies()
                load.pawl.stop()
            finally:
                load.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--rows", type=int, default=600, help="at least so many in each of four parts")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    run(options)


if __name__ == "__main__":
    main()
