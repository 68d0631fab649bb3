#!/usr/bin/python3
"""tools/tidy finds each fault that is planted in a small tree, and nothing in a clean one."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

TIDY = Path(__file__).resolve().parents[2] / "tools" / "tidy"
CLEAN = {
    "base/error.h": "#pragma once\n#include <string>\n",
    "journal/lmdb_env.cc": '#include <lmdb.h>\n\n#include "base/error.h"\n    MDB_cursor* cursor = nullptr;\n',
    "src/engine/plan.h": '#pragma once\n#include "journal/record.h"\n#include "engine/event.h"\n',
    "src/source/reader.cc": '#include <mysql.h>\n#include "engine/ports.h"\n#include "source/reader.h"\n',
    "src/index/bulk.cc": '#include <curl/curl.h>\n#include "engine/ports.h"\n',
    "src/cli/main.cc": '#include "ops/log.h"\n#include "config/config.h"\n',
    "tests/unit/base/error_test.cc": '#include <lmdb.h>\n#include "cli/anything.h"\n',
    "tests/unit/base/CMakeLists.txt": "pawl_add_test(NAME unit_base LABEL unit SOURCES error_test.cc LIBRARIES pawl_base)\n",
    "docs/words.md": "The watermark never passes the oldest gap.\n",
}


def run(files: dict[str, str]) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = Path(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return subprocess.run([sys.executable, str(TIDY), "--root", root], capture_output=True, text=True, check=False)


class Tidy(unittest.TestCase):
    def assert_found(self, path: str, text: str, rule: str, line: int = 1) -> None:
        """One fault in an otherwise clean tree: exactly that one is named, with its place."""
        result = run(CLEAN | {path: text})
        found = result.stdout.splitlines()
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertEqual(len(found), 1, result.stdout)
        self.assertTrue(found[0].startswith(f"{path}:{line}: [{rule}] "), found[0])

    def assert_clean(self, path: str, text: str) -> None:
        result = run(CLEAN | {path: text})
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_a_clean_tree_has_no_findings(self) -> None:
        result = run(CLEAN)
        self.assertEqual((result.returncode, result.stdout), (0, ""))

    def test_an_arrow_that_is_not_drawn_is_found(self) -> None:
        for path, target in (
            ("base/a.cc", "journal/record.h"),
            ("base/a.cc", "engine/event.h"),
            ("journal/a.cc", "engine/event.h"),
            ("src/engine/a.cc", "source/reader.h"),
            ("src/source/a.cc", "index/bulk.h"),
            ("src/index/a.cc", "source/reader.h"),
            ("src/config/a.cc", "ops/log.h"),
            ("src/ops/a.cc", "cli/main.h"),
            ("src/engine/deep/a.cc", "ops/log.h"),
            ("src/engine/a.cc", "src/engine/b.h"),
            ("src/engine/a.cc", "../journal/record.h"),
            ("src/engine/a.cc", "engine/b.cc"),
        ):
            with self.subTest(path=path, target=target):
                self.assert_found(path, f'#include "base/error.h"\n  # include "{target}"\n', "arrow", 2)

    def test_a_folder_without_arrows_is_found(self) -> None:
        self.assert_found("src/extra/a.cc", "int x;\n", "arrow")

    def test_a_foreign_header_outside_its_folder_is_found(self) -> None:
        for path, target in (
            ("src/index/a.cc", "<mysql.h>"),
            ("src/cli/a.cc", "<mariadb/mysql.h>"),
            ("src/source/a.cc", "<curl/curl.h>"),
            ("src/ops/a.cc", '"lmdb.h"'),
            ("base/a.cc", "<lmdb.h>"),
        ):
            with self.subTest(path=path, target=target):
                self.assert_found(path, f"#include {target}\n", "foreign-header")

    def test_an_impure_engine_is_found(self) -> None:
        for header in ("thread", "chrono", "random", "mutex", "fstream", "spdlog/spdlog.h"):
            with self.subTest(header=header):
                self.assert_found("src/engine/a.cc", f"#include <{header}>\n", "pure-engine")
                self.assert_clean("src/ops/a.cc", f"#include <{header}>\n")

    def test_a_using_that_nothing_uses_is_found(self) -> None:
        for using, user in (
            ("using std::chrono::seconds;", "seconds pause{1};"),
            ("using Pause = std::chrono::seconds;", "Pause pause{1};"),
            ("namespace fs = std::filesystem;", "fs::path path;"),
            ("    using engine::Event;", "    Event event;"),
        ):
            with self.subTest(using=using):
                self.assert_found("src/engine/a.cc", f'\n{using}\nauto text = "{user}";  // {user}\n', "unused-using", 2)
                self.assert_clean("src/engine/a.cc", f"\n{using}\n{user}\n")

    def test_a_word_with_a_replacement_is_found(self) -> None:
        for word in ("cursor", "Cursors", "the_cursor_", "sync point", "sync_point", "dead letter", "dead-letter queue",
                     "high water mark", "high-water"):
            with self.subTest(word=word):
                self.assert_found("base/a.cc", f"// the {word} here\n", "word")
        self.assert_found("docs/a.md", "# The cursor\n", "word")

    def test_a_word_inside_another_word_is_not_found(self) -> None:
        self.assert_clean("base/a.cc", "// precursors and recursors\n")

    def test_a_long_file_is_found(self) -> None:
        self.assert_found("src/engine/a.cc", "int x;\n" * 401, "size", 401)
        self.assert_clean("src/engine/a.cc", "int x;\n" * 400)

    def test_a_long_line_is_found(self) -> None:
        self.assert_found("src/engine/a.cc", "x" * 121 + "\n", "line-length")
        self.assert_clean("src/engine/a.cc", "x" * 120 + "\n")

    def test_a_header_without_a_guard_is_found(self) -> None:
        self.assert_found("src/engine/a.h", "int x;\n", "pragma-once")

    def test_planted_bugs_outside_of_the_simulation_are_found(self) -> None:
        line = "target_compile_definitions(pawl_engine PUBLIC PAWL_PLANTED_BUGS)\n"
        self.assert_found("src/engine/CMakeLists.txt", line, "planted")
        self.assert_found("CMakePresets.json", '{"CMAKE_CXX_FLAGS": "-DPAWL_PLANTED_BUGS"}\n', "planted")
        self.assert_found("src/engine/a.cc", "#ifdef PAWL_PLANTED_BUGS\n", "planted")
        self.assert_clean("tests/simulation/CMakeLists.txt", line)

    def test_a_test_that_is_not_registered_is_found(self) -> None:
        self.assert_found("tests/unit/base/lost_test.cc", "int x;\n", "unregistered-test")
        commented = CLEAN["tests/unit/base/CMakeLists.txt"] + "# lost_test.cc\n"
        result = run(CLEAN | {"tests/unit/base/lost_test.cc": "", "tests/unit/base/CMakeLists.txt": commented})
        self.assertIn("lost_test.cc:1: [unregistered-test]", result.stdout)

    def test_a_test_of_the_same_name_elsewhere_does_not_count_as_registered(self) -> None:
        self.assert_found("tests/unit/engine/error_test.cc", "int x;\n", "unregistered-test")

    def test_an_exemption_with_a_reason_holds_for_its_rule_only(self) -> None:
        self.assert_clean("base/a.cc", "int cursor;  // tidy: allow word (the terminal's)\n")
        self.assert_clean("base/a.cc", "// tidy: allow word (the terminal's)\nint cursor;\n")
        self.assert_found("base/a.cc", "int cursor;  // tidy: allow arrow (wrong rule)\n", "word")
        self.assert_found("base/a.cc", "int cursor;  // tidy: allow word\n", "word")


if __name__ == "__main__":
    unittest.main()
