"""A real Galera cluster on loopback: MariaDB servers that each take writes."""

import re
import subprocess
from pathlib import Path

from .mariadb import MariaDB
from .paths import LabError
from .process import free_port, wait_until

PROVIDER = "/usr/lib/galera/libgalera_smm.so"
READY_TIMEOUT_S = 60
RECOVER_TIMEOUT_S = 60
# How soon the others give up a node that was killed. Busy machines must not be taken for dead ones.
PROVIDER_OPTIONS = ("evs.keepalive_period=PT0.5S", "evs.suspect_timeout=PT3S", "evs.inactive_timeout=PT10S",
                    "gcache.size=64M")  # fmt: skip
RECOVERED = re.compile(r"WSREP: Recovered position: (\S+)")


class GaleraNode(MariaDB):
    """One of them. kill() is SIGKILL; rejoin() brings it back with what it has, and the others send what it lacks."""

    group_port = 0

    def status(self, name: str) -> str:
        return self.execute(f"SHOW STATUS LIKE 'wsrep_{name}'")[0][1]

    @staticmethod
    def environment() -> dict[str, str]:
        usual = MariaDB.environment()
        return usual | {"PATH": f"{usual['PATH']}:{Path(__file__).parent}"}  # wsrep_sst_changes_only

    def _answers(self) -> bool:
        """It takes connections before it takes statements."""
        return super()._answers() and self.status("ready") == "ON"

    def pretend_to_be_like(self, other: "GaleraNode") -> None:
        """Makes the data, which is the same as what the other one began with, and marks it as that one's."""
        self.folder.mkdir(parents=True)
        self._install()
        cluster = other.status("cluster_state_uuid")
        state = f"# GALERA saved state\nversion: 2.1\nuuid: {cluster}\nseqno: -1\nsafe_to_bootstrap: 0\n"
        (self.folder / "data" / "grastate.dat").write_text(state)
        self.args.append(f"--wsrep-start-position={cluster}:{other.status('last_committed')}")

    def _drop_anonymous_users(self) -> None:
        pass

    def drop_anonymous_users(self) -> None:
        # Each for itself: what is not there any more on another node would make the nodes differ.
        for (host,) in self.execute("SELECT Host FROM mysql.global_priv WHERE User = ''"):
            self.execute("SET SESSION wsrep_on = OFF", f"DROP USER ''@'{host}'")

    def wait_until_ready(self) -> None:
        """A majority is there, or somebody has said that it need not be."""
        if not wait_until(lambda: self.status("ready") == "ON", READY_TIMEOUT_S):
            raise LabError(f"{self.folder}: not in the cluster within {READY_TIMEOUT_S} s")

    def wait_until_alone(self) -> None:
        """Until it has noticed that it lost the majority: then it takes no statements."""
        if not wait_until(lambda: self.status("cluster_status") != "Primary", READY_TIMEOUT_S):
            raise LabError(f"{self.folder}: it still thinks that it is in the majority")

    def go_on_alone(self) -> None:
        """What an operator does with the node that is left."""
        self.execute("SET GLOBAL wsrep_provider_options = 'pc.bootstrap=YES'")
        self.wait_until_ready()

    def catch_up(self) -> None:
        """Until it has all that was committed anywhere before now."""
        self.execute("SET SESSION wsrep_sync_wait = 1", "SELECT 1 FROM mysql.global_priv LIMIT 1")


class Galera:
    """`size` nodes, a context manager. A whole copy of a node's data would take rsync or socat. So all begin with the same
    empty data and say that it is the first one's; a node that comes back asks for the changes since."""

    def __init__(self, folder: Path, size: int = 2) -> None:
        self.nodes = [GaleraNode(folder / f"node-{number}") for number in range(size)]
        for node in self.nodes:
            node.group_port = free_port()

    def __enter__(self) -> "Galera":
        for number, node in enumerate(self.nodes):
            node.args = self._arguments(node, forms=number == 0)
            if number > 0:
                node.pretend_to_be_like(self.nodes[0])
            node.start()
            node.drop_anonymous_users()
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes:
            node.kill()

    def rejoin(self, node: GaleraNode) -> None:
        """Starts a node that was killed."""
        position = self._recovered_position(node)
        node.args = [*self._arguments(node), f"--wsrep-start-position={position}"]
        node.start()

    def _arguments(self, node: GaleraNode, forms: bool = False) -> list[str]:
        others = ",".join(f"127.0.0.1:{each.group_port}" for each in self.nodes if each is not node)
        receive = free_port()
        options = [f"gmcast.listen_addr=tcp://127.0.0.1:{node.group_port}", f"ist.recv_addr=127.0.0.1:{receive}",
                   f"ist.recv_bind=127.0.0.1:{receive}", *PROVIDER_OPTIONS]  # fmt: skip
        return ["--wsrep-on=ON", f"--wsrep-provider={PROVIDER}", "--binlog-format=ROW", "--wsrep-node-address=127.0.0.1",
                f"--wsrep-cluster-address=gcomm://{'' if forms else others}", "--wsrep-sst-method=changes_only",
                "--wsrep-slave-threads=2", "--innodb-autoinc-lock-mode=2",
                f"--wsrep-provider-options={';'.join(options)}"]  # fmt: skip

    def _recovered_position(self, node: GaleraNode) -> str:
        """Which change was its last, as its storage has it."""
        log = node.folder / "recover.log"
        command = [*node.command(), *self._arguments(node), "--wsrep-recover"]
        with log.open("wb") as output:
            subprocess.run(command, stdout=output, stderr=output, env=node.environment(), check=False,
                           timeout=RECOVER_TIMEOUT_S)  # fmt: skip
        found = RECOVERED.search(log.read_text(errors="replace"))
        if not found:
            raise LabError(f"{node.folder}: no position recovered; see {log}")
        return found[1]
