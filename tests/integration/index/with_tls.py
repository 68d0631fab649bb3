#!/usr/bin/python3
"""Starts an Elasticsearch with HTTPS and users, runs the command with its address in the environment, stops it.

Usage: with_tls.py SERVER COMMAND...
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))
from lab.paths import TemporaryFolder  # noqa: E402
from lab.servers import SearchServer  # noqa: E402

POOR_USER = "pawl-poor"


def main() -> int:
    with TemporaryFolder() as folder, SearchServer(sys.argv[1], folder / "server", tls=True) as server:
        server.add_user(POOR_USER, server.password, "viewer_of_nothing")
        server.restart()
        assert server.certificates is not None and server.user is not None
        environment = os.environ | {
            "PAWL_TEST_TLS_URL": server.url,
            "PAWL_TEST_TLS_CA": str(server.certificates.ca),
            "PAWL_TEST_TLS_USER": server.user,
            "PAWL_TEST_TLS_PASSWORD": server.password,
            "PAWL_TEST_TLS_POOR_USER": POOR_USER,
        }
        return subprocess.run(sys.argv[2:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
