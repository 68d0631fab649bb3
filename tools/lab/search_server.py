"""A private Elasticsearch or OpenSearch, one node, in a folder of its own."""

import http.client
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Optional, Sequence

from .http import JsonClient
from .jdk import jdk_for
from .paths import LabError, as_unprivileged, give_to_unprivileged, search_server_home
from .process import Process, free_port
from .tls import Certificates, make_certificates

START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 60
PORT_ATTEMPTS = 3
HEAP_MB = 512
# Java's quick compiler alone: a server that lives for a minute or two takes half the processor time, most of which would
# go into optimising what soon ends.
SHORT_LIFE = "-XX:TieredStopAtLevel=1"


class SearchServer:
    """One server, named as in tools/servers.sha256 ("elasticsearch-8.19.7"); data, config and logs in `folder`.

    As a context manager it starts at the beginning and is killed at the end. `restart()` uses the same data and port.
    `settings` are "name=value" as -E takes them. `tls`: HTTPS and basic auth, Elasticsearch 8 and 9 only; then the
    attributes user, password and certificates are set. `discovery`: settings for a node of several, see cluster.py;
    they may be changed before a (re)start. `long_life`: Java optimises all it can, as in production; for measuring."""

    def __init__(self, name: str, folder: Path, settings: Sequence[str] = (), tls: bool = False, keep: bool = False,
                 heap_mb: int = HEAP_MB, discovery: Sequence[str] = ("discovery.type=single-node",),
                 long_life: bool = False) -> None:
        self.name = name
        self.product, self.version = name.split("-", 1)
        self.major = int(self.version.split(".")[0])
        self.folder = Path(folder).absolute()
        self.settings = list(settings)
        self.keep = keep
        self.heap_mb = heap_mb
        self.discovery = list(discovery)
        self.java_options = "" if long_life else SHORT_LIFE
        self.transport_port = 0
        self.tls = tls
        self.user: Optional[str] = None
        self.password = ""
        self.certificates: Optional[Certificates] = None
        self.port = 0
        self.log = self.folder / "output.log"
        self.process: Optional[Process] = None
        if tls and not self._has_security():
            raise LabError(f"{name} has no security module in this distribution; TLS needs Elasticsearch 8 or 9")

    def __enter__(self) -> "SearchServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self.keep:
            self.kill()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def client(self, timeout_s: float = 60) -> JsonClient:
        ca = self.certificates.ca if self.certificates else None
        return JsonClient(self.url, self.user, self.password, ca, timeout_s)

    def start(self) -> None:
        """Starts and returns when the cluster answers. LabError when it does not, or no Java fits."""
        home = search_server_home(self.name)
        java = self._java()
        is_new = not (self.folder / "config").exists()
        if is_new:
            self._install(home, java)
        for attempt in range(PORT_ATTEMPTS):
            if not self.port or attempt > 0:
                self.port = free_port()
            try:
                self._start_once(home, java)
                return
            except LabError:
                taken = self.process is not None and "BindException" in self.process.new_output()
                if not (taken and is_new and attempt + 1 < PORT_ATTEMPTS):
                    raise

    def stop(self) -> None:
        """A clean shutdown."""
        if self.process is not None:
            self.process.stop(STOP_TIMEOUT_S)

    def kill(self) -> None:
        """SIGKILL: what a crash of the node does."""
        if self.process is not None:
            self.process.kill()

    def restart(self) -> None:
        """Starts again on the same data and port; stops it first when it runs."""
        self.stop()
        self.start()

    def is_running(self) -> bool:
        return self.process is not None and self.process.is_running()

    def _java(self) -> Path:
        java, reason = jdk_for(self.name)
        if java is None:
            raise LabError(f"{self.name} {reason}")
        return java

    def _has_security(self) -> bool:
        return self.product == "elasticsearch" and self.major >= 8

    def _install(self, home: Path, java: Path) -> None:
        for part in ("data", "logs", "tmp", "repository"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        config = self.folder / "config"
        unfinished = self.folder / "config.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(home / "config", unfinished)
        self._write_only_here(unfinished / "jvm.options")
        if self.tls:
            self.certificates = make_certificates(self.folder / "certificates")
            # The server reads keys from its config folder only.
            shutil.copy(self.certificates.key, unfinished / "http-key.pem")
            shutil.copy(self.certificates.certificate, unfinished / "http-cert.pem")
        unfinished.rename(config)
        give_to_unprivileged(self.folder)
        if self.tls:
            self.user, self.password = "pawl-admin", "pawl-admin-password"
            self.add_user(self.user, self.password, "superuser")

    def _write_only_here(self, jvm_options: Path) -> None:
        # Relative paths mean the server's own folder there, which is shared and not ours to write.
        text = jvm_options.read_text()
        text = text.replace("=logs/", f"={self.folder}/logs/").replace(":logs/", f":{self.folder}/logs/")
        jvm_options.write_text(text.replace("HeapDumpPath=data", f"HeapDumpPath={self.folder}/data"))

    def add_user(self, name: str, password: str, roles: str) -> None:
        """Adds a user of the file realm. Works on a stopped server; a running one reads its files anew within 5 s."""
        home = search_server_home(self.name)
        java = self._java()
        command = [str(home / "bin" / "elasticsearch-users"), "useradd", name, "-p", password, "-r", roles]
        made = subprocess.run(as_unprivileged(command), env=self._environment(java), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise LabError(f"elasticsearch-users failed ({made.returncode}): {made.stdout}{made.stderr}")

    def add_role(self, name: str, definition: Any) -> None:
        """A role of the file realm: {"cluster": […], "indices": […]}. Read as soon as users are."""
        with (self.folder / "config" / "roles.yml").open("a", encoding="utf-8") as file:
            file.write(f"{name}: {json.dumps(definition)}\n")  # JSON is YAML

    def _environment(self, java: Path) -> dict[str, str]:
        prefix = "ES" if self.product == "elasticsearch" else "OPENSEARCH"
        return os.environ | {
            f"{prefix}_JAVA_HOME": str(java),
            f"{prefix}_JAVA_OPTS": f"-Xms{self.heap_mb}m -Xmx{self.heap_mb}m {self.java_options}",
            "CLI_JAVA_OPTS": SHORT_LIFE,  # Elasticsearch 8 and 9 start by a Java program of their own
            f"{prefix}_PATH_CONF": str(self.folder / "config"),
            f"{prefix}_TMPDIR": str(self.folder / "tmp"),
        }

    def _start_once(self, home: Path, java: Path) -> None:
        settings = [
            f"http.port={self.port}", f"transport.port={self.transport_port or free_port()}", "network.host=127.0.0.1",
            *self.discovery, f"path.data={self.folder / 'data'}", f"path.logs={self.folder / 'logs'}",
            f"path.repo={self.folder / 'repository'}",
            # A test machine's disk may well be fuller than the watermarks allow; indices would turn read-only.
            "cluster.routing.allocation.disk.threshold_enabled=false",
        ]
        if self._has_security():
            settings.append(f"xpack.security.enabled={'true' if self.tls else 'false'}")
        if self.tls:
            settings += ["xpack.security.http.ssl.enabled=true", "xpack.security.http.ssl.key=http-key.pem",
                         "xpack.security.http.ssl.certificate=http-cert.pem"]
        command = [str(home / "bin" / self.product)]
        for setting in [*settings, *self.settings]:
            command += ["-E", setting]
        self.process = Process(self.name, as_unprivileged(command), self.log, env=self._environment(java),
                               cwd=self.folder, keep=self.keep)
        self.process.wait_ready(self._answers, START_TIMEOUT_S)

    def _answers(self) -> bool:
        try:
            # After a restart the data must be there again, not only the port.
            health = self.client(timeout_s=10).request("GET", "/_cluster/health?wait_for_status=yellow&timeout=5s")
            return health.status == 200
        except (OSError, http.client.HTTPException):
            return False
