"""pawl's main job, shown on real data and real servers. Started by tools/demo."""

import argparse
import contextlib
import os
import pathlib
import shutil
import sys
import time

# Only what Python itself brings: the rest of the lab needs packages that tools/setup installs first.
from lab.interrupt import Interrupted, raise_on_signals, run
from lab.progress import Progress

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
SEARCH_SERVER = "elasticsearch-8.19.7"
BINARY = CHECKOUT / "build/release/pawl"
EXIT_EQUAL, EXIT_DIFFERENT, EXIT_FAILED = 0, 1, 3


class DemoError(Exception):
    """The demo cannot go on; the text is for a person."""


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="tools/demo",
        description="Installs what is needed, builds pawl, loads WordNet into a table of a private MariaDB, "
        "lets writers change it while pawl keeps a private Elasticsearch in step, kills pawl in the middle of a batch, "
        "starts it again and compares every document. Everything is in a temporary folder and on free loopback ports.",
        epilog="Exit code: 0 the index equals the table, 1 it does not, 3 the demo could not be finished.",
    )
    parser.add_argument("--mode", choices=("revision", "outbox"), default="revision",
                        help="outbox: a plain table with triggers, in place of a history (default: revision)")
    parser.add_argument("--keep", action="store_true", help="leave the servers and pawl running, and say how to play")
    parser.add_argument("--writers", type=_positive, default=4, metavar="N", help="concurrent writers (default: 4)")
    parser.add_argument("--seed", type=int, help="decides the writers' choices (default: a new one, which is printed)")
    parser.add_argument(
        "--updates", type=_positive, default=40_000, metavar="N", help="rows that they write in all (default: 40000)"
    )
    parser.add_argument("--binary", type=pathlib.Path, help="a pawl that is built already (default: build it)")
    return parser.parse_args()


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def prepare(options, progress):
    """Installs and builds. Returns the path of the pawl to show."""
    _step([CHECKOUT / "tools/setup", SEARCH_SERVER], "installing", progress)
    progress.say("everything that is needed is installed")
    if options.binary:
        if not os.access(options.binary, os.X_OK):
            raise DemoError(f"--binary {options.binary}: there is no such program")
        return options.binary.resolve()
    _step(["cmake", "--preset", "release"], "configuring the build", progress)
    _step(["cmake", "--build", "--preset", "release", "--target", "pawl"], "building pawl", progress)
    progress.say("pawl is built")
    return BINARY


def _step(command, what, progress):
    progress.show(what)
    code, output = run(command, CHECKOUT, lambda line: progress.show(f"{what}: {line}"))
    if code != 0:
        progress.block(output[-4000:])
        raise DemoError(f"{what} failed with {code}: {' '.join(map(str, command))}")


@contextlib.contextmanager
def demo_folder(kept):
    """A folder that the search server's user can enter; `kept()` says at the end whether it stays."""
    from lab.servers import TemporaryFolder

    folder = TemporaryFolder("pawl-demo-", keep=True).path
    try:
        yield folder
    finally:
        for _ in range(50):  # a server that is dying may still write into it
            if kept() or not folder.exists():
                break
            shutil.rmtree(folder, ignore_errors=True)
            time.sleep(0.1 if folder.exists() else 0)


def main():
    options = parse_arguments()
    progress = Progress()
    raise_on_signals()
    try:
        binary = prepare(options, progress)
        from lab.story import Story

        story = Story(options, binary, SEARCH_SERVER, progress)
        with demo_folder(lambda: story.kept) as folder:
            equal = story.tell(folder)
        return EXIT_EQUAL if equal else EXIT_DIFFERENT
    except Interrupted as signal:
        progress.say(f"{signal}: stopped, and cleaned up")
        return signal.exit_code
    except Exception as error:  # a person reads this; the kinds of failure need no telling apart
        if os.environ.get("PAWL_DEMO_TRACE"):
            raise
        progress.say(f"the demo FAILED: {type(error).__name__}: {error}")
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
