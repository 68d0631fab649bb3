#!/usr/bin/python3
"""A build without PAWL_FAILPOINTS has no crash points: every source that knows of them is compiled as the release is,
and its object holds neither a name of a point nor the variable that chooses one. A finished binary can be looked at too.

    release_test.py --source DIR --compiled "SOURCE;..." --objects "OBJECT;..." [--binary build/release/pawl]
"""

import argparse
import json
import os
import pathlib
import re
import subprocess

INCLUDE = '#include "base/failpoint.h"'
VARIABLE = b"PAWL_FAILPOINT"
SAYS_NO = "this build has no crash points\n"


def names_of_points(source):
    text = (source / "base/failpoint.h").read_text(encoding="utf-8")
    names = re.findall(r'"((?:before|during|after):[a-z_]+)"', text)
    assert len(names) > 20, "the names of the points are not found in base/failpoint.h"
    return [name.encode() for name in names]


def check_bytes(file, names):
    content = file.read_bytes()
    found = [name.decode() for name in [VARIABLE, *names] if name in content]
    assert not found, f"{file} holds {found}"


def check_list(source, compiled):
    """None that knows of crash points is left out."""
    known = {file for folder in ("base", "journal", "src") for file in (source / folder).rglob("*.cc")
             if INCLUDE in file.read_text(encoding="utf-8")}  # fmt: skip
    missing = known - {(source / file).resolve() for file in compiled}
    assert not missing, f"not compiled here: {sorted(map(str, missing))}; add them in tests/crash/CMakeLists.txt"


def check_preset(source):
    presets = json.loads((source / "CMakePresets.json").read_text(encoding="utf-8"))["configurePresets"]
    release = next(preset for preset in presets if preset["name"] == "release")
    assert release["inherits"] == "base" and "PAWL_FAILPOINTS" not in release["cacheVariables"]
    assert 'option(PAWL_FAILPOINTS "Compile in the named crash points (test builds only)" OFF)' in (
        source / "CMakeLists.txt").read_text(encoding="utf-8")  # fmt: skip


def check_binary(binary, names):
    check_bytes(binary, names)
    environment = dict(os.environ, PAWL_FAILPOINT="before:prune:1")
    said = subprocess.run([binary, "version", "--failpoints"], env=environment, capture_output=True, text=True, check=True)
    assert said.stderr == SAYS_NO and said.stdout == "", said


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--compiled", default="")
    parser.add_argument("--objects", default="")
    parser.add_argument("--binary", type=pathlib.Path)
    options = parser.parse_args()
    source = options.source.resolve()
    names = names_of_points(source)
    check_preset(source)
    objects = [pathlib.Path(name) for name in options.objects.split(";") if name]
    if objects:
        check_list(source, options.compiled.split(";"))
    for file in objects:
        check_bytes(file, names)
    if options.binary:
        check_binary(options.binary, names)
    assert objects or options.binary, "nothing to look at"
    print(f"{len(objects)} objects and {1 if options.binary else 0} binaries hold none of {len(names)} crash points")


if __name__ == "__main__":
    main()
