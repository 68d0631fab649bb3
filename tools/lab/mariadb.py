"""A private MariaDB in a folder of its own."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Optional, Sequence

import pymysql

from .paths import SOCKET_PATH_BYTES_MAX, LabError
from .process import Process, free_port
from .tls import Certificates

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
PORT_ATTEMPTS = 5


class MariaDB:
    """One mariadbd on 127.0.0.1 and a socket, data in `folder`/data. root has no password; there are no other users.

    As a context manager it starts at the beginning and stops at the end. `restart()` after `stop()` or `kill()`
    uses the same data, socket and port. `args` are mariadbd's own options, for instance
    ["--auto-increment-increment=2"]; they may be changed before a restart."""

    def __init__(self, folder: Path, args: Sequence[str] = (), tls: Optional[Certificates] = None,
                 keep: bool = False) -> None:
        self.folder = Path(folder).absolute()
        self.args = list(args)
        self.tls = tls
        self.keep = keep
        self.name = "mariadb"
        self.host = "127.0.0.1"
        self.port = 0
        self.socket = self.folder / "mariadb.sock"
        self.log = self.folder / "mariadb.log"
        self.process: Optional[Process] = None
        if len(os.fsencode(self.socket)) > SOCKET_PATH_BYTES_MAX:
            raise LabError(f"the socket's path is longer than {SOCKET_PATH_BYTES_MAX} bytes: {self.socket}; "
                           "choose a shorter folder")

    def __enter__(self) -> "MariaDB":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self.keep:
            self.kill()  # nobody wants the data any more, so a clean stop would be time lost

    def start(self) -> None:
        """Makes the data folder where there is none, starts, returns when it answers. LabError when it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        is_new = not (self.folder / "data").exists()
        if is_new:
            self._install()
        for attempt in range(PORT_ATTEMPTS):
            if not self.port or attempt > 0:
                self.port = free_port()
            try:
                self._start_once()
                break
            except LabError:
                assert self.process is not None
                taken = "Address already in use" in self.process.new_output()
                if not (taken and is_new and attempt + 1 < PORT_ATTEMPTS):
                    raise
        if is_new:
            self._drop_anonymous_users()

    def stop(self) -> None:
        """A clean shutdown."""
        if self.process is not None:
            self.process.stop(STOP_TIMEOUT_S)

    def kill(self) -> None:
        """SIGKILL: what a crash of the server does."""
        if self.process is not None:
            self.process.kill()

    def restart(self) -> None:
        """Starts again on the same data and port; stops it first when it runs."""
        self.stop()
        self.start()

    def is_running(self) -> bool:
        return self.process is not None and self.process.is_running()

    def connect(self, user: str = "root", password: str = "", database: Optional[str] = None,
                **options: Any) -> "pymysql.connections.Connection[Any]":
        """A pymysql connection through the socket: utf8mb4, autocommit unless the options say otherwise."""
        defaults: dict[str, Any] = {"charset": "utf8mb4", "autocommit": True}
        return pymysql.connect(unix_socket=str(self.socket), user=user, password=password, database=database,
                               **(defaults | options))

    def execute(self, *statements: str, database: Optional[str] = None) -> tuple[tuple[Any, ...], ...]:
        """Runs statements as root and returns the last one's rows."""
        with self.connect(database=database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return tuple(cursor.fetchall())

    def create_user(self, name: str, password: str, grants: Sequence[str], require_tls: bool = False) -> None:
        """`grants`: each "PRIVILEGES ON WHAT", for instance "SELECT, LOCK TABLES ON karp.*". A user of that name that
        exists already is replaced."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE OR REPLACE USER %s@'%%' IDENTIFIED BY %s" + (" REQUIRE SSL" if require_tls else ""),
                           (name, password))
            for grant in grants:
                cursor.execute(f"GRANT {grant} TO %s@'%%'", (name,))

    def _install(self) -> None:
        # mariadb-install-db leaves half a data folder behind when it is interrupted; only a whole one gets the name.
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        command = ["mariadb-install-db", "--no-defaults", f"--datadir={unfinished}", f"--user={_user()}",
                   "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve",
                   f"--tmpdir={self._temporary()}",
                   "--force"]  # else it insists that the host's own name resolves
        made = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise LabError(f"mariadb-install-db failed ({made.returncode}):\n{made.stdout}{made.stderr}")
        unfinished.rename(self.folder / "data")

    def _start_once(self) -> None:
        self.process = Process(self.name, self.command() + self.args, self.log, env=self.environment(), keep=self.keep)
        self.process.wait_ready(self._answers, START_TIMEOUT_S)

    def command(self) -> list[str]:
        """How it is started, without `args`."""
        command = ["mariadbd", "--no-defaults", f"--user={_user()}", f"--datadir={self.folder / 'data'}",
                   f"--socket={self.socket}", f"--port={self.port}", f"--bind-address={self.host}",
                   f"--pid-file={self.folder / 'mariadb.pid'}", f"--tmpdir={self._temporary()}",
                   "--character-set-server=utf8mb4"]
        if self.tls is not None:
            command += [f"--ssl-ca={self.tls.ca}", f"--ssl-cert={self.tls.certificate}", f"--ssl-key={self.tls.key}"]
        return command

    @staticmethod
    def environment() -> dict[str, str]:
        # Debian keeps mariadbd where an ordinary user's PATH does not look.
        return os.environ | {"PATH": os.environ.get("PATH", "") + ":/usr/sbin"}

    def _temporary(self) -> Path:
        # Not /tmp: a mariadbd that starts removes what it takes for its own leftovers, also those of another one.
        temporary = self.folder / "tmp"
        temporary.mkdir(mode=0o700, exist_ok=True)
        return temporary

    def _answers(self) -> bool:
        try:
            self.connect().close()
            return True
        except pymysql.err.OperationalError:
            return False

    def _drop_anonymous_users(self) -> None:
        # ''@localhost would win over name@'%' for a client on the socket.
        for (host,) in self.execute("SELECT Host FROM mysql.global_priv WHERE User = ''"):
            self.execute(f"DROP USER ''@'{host}'")


def _user() -> str:
    return "root" if os.geteuid() == 0 else str(os.geteuid())
