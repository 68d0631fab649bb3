#!/usr/bin/python3
"""What tools/servers and tools/lab promise about processes, shown with stand-ins that start at once."""

import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))
from lab import process  # noqa: E402
from lab.jdk import jdk_for  # noqa: E402
from lab.paths import LabError, known_search_servers  # noqa: E402

TIMEOUT_S = 20


class Processes(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.log = self.folder / "log"

    def start(self, script: str, keep: bool = False) -> process.Process:
        started = process.Process("stand-in", ["sh", "-c", script], self.log, keep=keep)
        self.addCleanup(started.kill)
        return started

    def test_a_start_that_fails_shows_the_end_of_its_own_log(self) -> None:
        self.log.write_text("from an earlier run\n")
        server = self.start("echo no space left; exit 7")
        with self.assertRaises(LabError) as caught:
            server.wait_ready(lambda: False, TIMEOUT_S)
        self.assertIn("ended with 7", str(caught.exception))
        self.assertIn("no space left", str(caught.exception))
        self.assertNotIn("earlier run", str(caught.exception))

    def test_a_start_that_takes_too_long_leaves_nothing_running(self) -> None:
        server = self.start("sleep 1000 & wait")
        with self.assertRaisesRegex(LabError, "did not answer"):
            server.wait_ready(lambda: False, 0.2)
        self.assertFalse(process.group_is_alive(server.pid))

    def test_kill_ends_the_children_too(self) -> None:
        server = self.start("sleep 1000 & echo ready; wait")
        server.wait_ready(lambda: "ready" in server.new_output(), TIMEOUT_S)
        server.kill()
        self.assertFalse(process.group_is_alive(server.pid))

    def test_a_server_dies_with_the_process_that_started_it(self) -> None:
        for keep in (False, True):
            with self.subTest(keep=keep):
                script = (f"import sys, os; sys.path.insert(0, {str(TOOLS)!r})\n"
                          "from lab.process import Process; from pathlib import Path\n"
                          f"p = Process('x', ['sleep', '1000'], Path({str(self.log)!r}), keep={keep})\n"
                          "p.wait_ready(lambda: open(f'/proc/{p.pid}/comm').read() == 'sleep\\n', 20)\n"
                          "print(p.pid, flush=True)\nos.kill(os.getpid(), 9)")
                parent = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
                self.assertEqual(parent.returncode, -signal.SIGKILL, parent.stderr)
                pid = int(parent.stdout)
                gone = process.wait_until(lambda: process.start_time(pid) is None, 0.3 if keep else TIMEOUT_S)
                process.signal_group(pid, signal.SIGKILL)
                self.assertEqual(gone, not keep)


class Java(unittest.TestCase):
    def test_every_known_server_has_a_range_of_java_versions(self) -> None:
        for name in known_search_servers():
            home, reason = jdk_for(name)
            self.assertTrue((home is None) == bool(reason), name)


class Servers(unittest.TestCase):
    def test_stop_leaves_a_process_alone_that_got_a_recorded_pid(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        with subprocess.Popen(["sleep", "1000"], start_new_session=True) as other:
            record = f'{{"mariadb": {{"pid": {other.pid}, "start_time": 1, "variables": {{"PAWL_TEST_X": "1"}}}}}}'
            (folder / "servers.json").write_text(record)
            subprocess.run([str(TOOLS / "servers"), "stop", "--dir", str(folder)], check=True)
            self.assertIsNotNone(process.start_time(other.pid))
            self.assertEqual((folder / "env").read_text(), "")
            other.kill()


if __name__ == "__main__":
    unittest.main()
