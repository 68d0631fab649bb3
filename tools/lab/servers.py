"""Real servers on free loopback ports:

    with TemporaryFolder() as folder, MariaDB(folder / "db") as db, SearchServer("elasticsearch-8.19.7", folder / "es") as es:
        db.execute("CREATE DATABASE karp")
        es.client().put("/lex-1")

They are ready when start() returns, and gone when the block ends or this process dies. kill() is SIGKILL, restart()
keeps data and port. The servers themselves come from tools/setup.
"""

from .mariadb import MariaDB
from .paths import LabError, TemporaryFolder, known_search_servers
from .search_server import SearchServer

__all__ = ["LabError", "MariaDB", "SearchServer", "TemporaryFolder", "known_search_servers"]
