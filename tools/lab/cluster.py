"""Several Elasticsearch nodes on loopback that are one cluster."""

from pathlib import Path
from typing import Optional

from .http import JsonClient
from .process import free_port
from .search_server import SearchServer

NODE_HEAP_MB = 512
# How soon the others notice that a node is gone: its connections are reset at once, so this is for what hangs.
SETTINGS = ("cluster.fault_detection.follower_check.interval=500ms", "cluster.name=pawl-test")


class Cluster:
    """`size` nodes named node-1 …; a context manager. The first one forms the cluster, the others join it."""

    def __init__(self, name: str, folder: Path, size: int) -> None:
        ports = [free_port() for _ in range(size)]
        self.nodes: dict[str, SearchServer] = {}
        for number, port in enumerate(ports, 1):
            hosts = ",".join(f"127.0.0.1:{other}" for other in ports)
            node = SearchServer(name, folder / f"node-{number}", [*SETTINGS, f"node.name=node-{number}"],
                                heap_mb=NODE_HEAP_MB, discovery=[f"discovery.seed_hosts={hosts}"])
            node.transport_port = port
            self.nodes[f"node-{number}"] = node

    def __enter__(self) -> "Cluster":
        for number, node in enumerate(self.nodes.values(), 1):
            if number == 1:
                # Only for the first start: a cluster that is formed must not be formed again.
                node.discovery.append("cluster.initial_master_nodes=node-1")
            node.start()
        del self.nodes["node-1"].discovery[-1]
        return self

    def __exit__(self, *_: object) -> None:
        for node in self.nodes.values():
            node.kill()

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes.values()]

    def client(self, timeout_s: float = 60) -> JsonClient:
        """Of a node that runs."""
        return next(node for node in self.nodes.values() if node.is_running()).client(timeout_s)

    def wait_for_health(self, status: str, timeout_s: int = 120) -> None:
        """Until all nodes are in and every shard has its copies ("green"), or at least its primary ("yellow")."""
        path = f"/_cluster/health?wait_for_status={status}&wait_for_nodes={len(self.nodes)}&timeout={timeout_s}s"
        answer = self.client(2 * timeout_s).request("GET", path)
        assert answer.status == 200, f"the cluster is not {status}: {answer.body}"

    def node_of_primary(self, index: str) -> Optional[str]:
        """The node that has the primary of the index's only shard."""
        answer = self.client().get(f"/{index}/_search_shards")
        names = {key: node["name"] for key, node in answer["nodes"].items()}
        return next((names[copy["node"]] for copy in answer["shards"][0] if copy["primary"]), None)

    def master(self) -> str:
        answer = self.client().get("/_cluster/state/master_node,nodes")
        return answer["nodes"][answer["master_node"]]["name"]
