"""Finds the Java that a search server needs. Debian 12 has 17 only; another one may stand in /usr/lib/jvm."""

import os
import re
from pathlib import Path
from typing import Optional

# First and last major version of Java that a server of this product and major version runs on.
# Elasticsearch 7 and 8 and OpenSearch 2 need the security manager, which Java 24 no longer has.
JAVA_RANGE = {
    ("elasticsearch", 7): (17, 23),
    ("elasticsearch", 8): (17, 23),
    ("elasticsearch", 9): (21, 99),
    ("opensearch", 2): (17, 23),
    ("opensearch", 3): (21, 99),
}


def java_major(home: Path) -> Optional[int]:
    """Major version of the Java in this folder; None when there is none."""
    if not (home / "bin" / "java").is_file():
        return None
    try:
        release = (home / "release").read_text()
    except OSError:
        return None
    found = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    return int(found[1]) if found else None


def candidates() -> dict[Path, int]:
    """All Javas that can be seen, with their major versions."""
    named = [Path(os.environ[name]) for name in ("PAWL_JDK21", "JAVA_HOME") if os.environ.get(name)]
    installed = sorted(Path("/usr/lib/jvm").glob("*/"))
    found = {home.resolve(): java_major(home) for home in [*named, *installed]}
    return {home: major for home, major in found.items() if major is not None}


def jdk_for(server: str) -> tuple[Optional[Path], str]:
    """Java's folder for a server such as "elasticsearch-9.2.0" and "", or None and the reason, which begins "needs"."""
    product, version = server.split("-", 1)
    first, last = JAVA_RANGE[(product, int(version.split(".")[0]))]
    named = os.environ.get("PAWL_JDK21")
    if first >= 21 and named and java_major(Path(named)) is None:
        return None, f"needs Java {first} or later; PAWL_JDK21={named} has no bin/java with a release file beside it"
    seen = candidates()
    fitting = [(major, home) for home, major in seen.items() if first <= major <= last]
    if fitting:
        return min(fitting)[1], ""
    have = ", ".join(str(major) for major in sorted(set(seen.values()))) or "none"
    wanted = f"Java {first} or later" if last == 99 else f"Java {first} to {last}"
    return None, f"needs {wanted}, here: {have}; name one in PAWL_JDK21 or put it into /usr/lib/jvm"
