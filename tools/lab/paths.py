"""Where things are: the checkout, the cache that tools/setup fills, temporary folders that a server can enter."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
# Elasticsearch and OpenSearch refuse to run as root; started by root, they run as this uid and gid ("nobody").
UNPRIVILEGED_ID = 65534
# sockaddr_un holds 108 bytes with its closing NUL; mariadbd cuts a longer path off and fails in a confusing way.
SOCKET_PATH_BYTES_MAX = 107


class LabError(Exception):
    """Something that a person must mend; its text says what, where, and what to do."""


def cache_folder() -> Path:
    """The same rule as in tools/setup."""
    if os.environ.get("PAWL_CACHE"):
        return Path(os.environ["PAWL_CACHE"])
    if os.geteuid() == 0:
        return Path("/var/cache/pawl")
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pawl"


def known_search_servers() -> list[str]:
    """Names of all search servers that tools/setup can fetch, for instance "elasticsearch-8.19.7"."""
    lines = (CHECKOUT / "tools" / "servers.sha256").read_text().splitlines()
    return [line.split()[1].removesuffix(".zip") for line in lines if line and not line.startswith("#")]


def search_server_home(name: str) -> Path:
    """The unpacked server's folder (read-only for us). LabError when it has not been fetched."""
    home = cache_folder() / "servers" / name
    if not (home / ".archive-sha256").is_file():
        raise LabError(f"{name} is not in {home.parent}; run: tools/setup {name}")
    return home


class TemporaryFolder:
    """A temporary folder that an unprivileged server may enter (mkdtemp's own is closed to it), removed at the end."""

    def __init__(self, prefix: str = "pawl-", keep: bool = False) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self.path.chmod(0o711)
        self.keep = keep

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        if not self.keep:
            shutil.rmtree(self.path, ignore_errors=True)


def give_to_unprivileged(folder: Path) -> None:
    """Hands a folder and all in it to the uid that search servers run as. LabError when that uid cannot get there."""
    if os.geteuid() != 0:
        return
    subprocess.run(["chown", "-R", f"{UNPRIVILEGED_ID}:{UNPRIVILEGED_ID}", str(folder)], check=True)
    reachable = subprocess.run(as_unprivileged(["test", "-w", str(folder)]), check=False).returncode == 0
    if not reachable:
        closed = [str(p) for p in folder.resolve().parents if not p.stat().st_mode & 0o001]
        raise LabError(
            f"uid {UNPRIVILEGED_ID} cannot enter {folder}, and search servers do not run as root; "
            f"closed to others: {', '.join(closed) or 'nothing visible'}; choose another folder or chmod o+x it"
        )


def as_unprivileged(command: list[str]) -> list[str]:
    """The command, run as nobody where we are root; else as it is."""
    if os.geteuid() != 0:
        return command
    uid = str(UNPRIVILEGED_ID)
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--", *command]
