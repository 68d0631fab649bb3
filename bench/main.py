"""tools/bench's command line."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from lab.interrupt import Interrupted, raise_on_signals
from lab.paths import CHECKOUT, LabError, TemporaryFolder
from lab.progress import Progress

BUILD = CHECKOUT / "build" / "release"
SEARCH_SERVER = "elasticsearch-8.19.7"
SIZES, RUNS = "200000,1000000", 3
RESTART_DOCUMENTS, RESTART_ROUNDS = 1_000_000, 10
REBUILD_DOCUMENTS, EDITS = 200_000, 10
EDITS_PER_SECOND, EDIT_SECONDS = 2_000, 60
EXIT_DONE, EXIT_FAILED = 0, 3


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools/bench",
        description="Measures pawl with a private MariaDB and a private Elasticsearch in a temporary folder. "
        "docs/performance.md says what the figures mean. Compare figures of one run with each other only.",
        epilog="Exit code: 0 measured, 3 it could not be measured. Whether a goal is reached does not matter to it.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    throughput = commands.add_parser(
        "throughput", help="pawl sync beside the ceiling: the same documents, posted without pawl")
    throughput.add_argument("--documents", type=_sizes, default=_sizes(SIZES), metavar="N,...",
                            help=f"sizes of the history (default: {SIZES})")
    throughput.add_argument("--runs", type=_positive, default=RUNS, metavar="N", help=f"of each (default: {RUNS})")
    throughput.add_argument("--adopt", action="store_true",
                            help="also pawl with an empty index that was there before it")
    restart = commands.add_parser(
        "restart", help="from exec to the first bulk request, after SIGKILL with 8 open batches")
    restart.add_argument("--documents", type=_positive, default=RESTART_DOCUMENTS, metavar="N",
                         help=f"size of the history (default: {RESTART_DOCUMENTS})")
    restart.add_argument("--kills", type=_positive, default=RESTART_ROUNDS, metavar="N",
                         help=f"how often (default: {RESTART_ROUNDS})")
    verify = commands.add_parser("verify", help="pawl verify of an index that is equal, with and without --content")
    verify.add_argument("--documents", type=_positive, default=RESTART_DOCUMENTS, metavar="N",
                        help=f"size of the history (default: {RESTART_DOCUMENTS})")
    verify.add_argument("--runs", type=_positive, default=RUNS, metavar="N", help=f"of each (default: {RUNS})")
    rebuild = commands.add_parser(
        "rebuild", help="pawl rebuild beside the ceiling, of histories with one row and with many for each entity")
    rebuild.add_argument("--documents", type=_positive, default=REBUILD_DOCUMENTS, metavar="N",
                         help=f"living entities (default: {REBUILD_DOCUMENTS})")
    rebuild.add_argument("--edits", type=_positive, default=EDITS, metavar="N",
                         help=f"rows of each entity where there are many (default: {EDITS})")
    rebuild.add_argument("--runs", type=_positive, default=RUNS, metavar="N", help=f"of each (default: {RUNS})")
    outbox = commands.add_parser(
        "outbox", help="a backlog in an outbox beside the ceiling, a steady load of edits, and what triggers cost")
    outbox.add_argument("--documents", type=_positive, default=REBUILD_DOCUMENTS, metavar="N",
                        help=f"entities of the backlog (default: {REBUILD_DOCUMENTS})")
    outbox.add_argument("--runs", type=_positive, default=RUNS, metavar="N", help=f"of each (default: {RUNS})")
    outbox.add_argument("--edits", type=_positive, default=EDITS_PER_SECOND, metavar="N",
                        help=f"edits a second of the steady load (default: {EDITS_PER_SECOND})")
    outbox.add_argument("--seconds", type=_positive, default=EDIT_SECONDS, metavar="N",
                        help=f"how long (default: {EDIT_SECONDS})")
    for command in (throughput, restart, verify, rebuild, outbox):
        command.add_argument("--apart", action="store_true",
                             help="Elasticsearch alone on one processor and all else on the others, as where it has a "
                             "machine of its own; the ceiling, too")
        command.add_argument("--json", action="store_true", help="figures as JSON on stdout, in place of tables")
        command.add_argument("--build", type=Path, metavar="DIR",
                             help="a build folder with pawl and bench_ceiling (default: build/release, which is built)")
    return parser.parse_args()


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _sizes(text: str) -> list[int]:
    return [_positive(part) for part in text.split(",")]


def prepare(options: argparse.Namespace, progress: Progress) -> Path:
    """Installs and builds. Returns the build folder."""
    steps: list[list[str]] = [[str(CHECKOUT / "tools" / "setup"), SEARCH_SERVER]]
    if not options.build:
        steps += [["cmake", "--preset", "release"],
                  ["cmake", "--build", "--preset", "release", "--target", "pawl", "bench_ceiling"]]
    for step in steps:
        progress.show(" ".join(step))
        done = subprocess.run(step, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise LabError(f"{' '.join(step)} failed with {done.returncode}:\n{done.stdout[-4000:]}")
    build = (options.build or BUILD).resolve()
    for program in ("pawl", "bench/bench_ceiling"):
        if not os.access(build / program, os.X_OK):
            raise LabError(f"{build / program} is not there; build with -DPAWL_BENCH=ON")
    return build


def run(options: argparse.Namespace, progress: Progress) -> None:
    if options.apart and len(os.sched_getaffinity(0)) < 2:
        raise LabError("--apart needs two processors")
    build = prepare(options, progress)
    # Needs packages that the step above installs.
    from bench import outbox, outbox_text, rebuild, restart, throughput, verify
    from bench.world import World

    with TemporaryFolder("pawl-bench-") as folder, World(folder, options.apart) as world:
        progress.say("MariaDB and Elasticsearch are running")
        if options.command == "restart":
            times = restart.Restart(world, build / "pawl", progress).measure(options.documents, options.kills)
            figures = {"documents": options.documents, "milliseconds": times}
            text = f"{restart.as_markdown(options.documents, times)}\n\n{restart.verdict(times)}"
        elif options.command == "verify":
            runs = verify.measure(world, build / "pawl", progress, options.documents, options.runs)
            figures, text = verify.as_json(options.documents, runs), verify.as_markdown(options.documents, runs)
        elif options.command == "rebuild":
            runs = rebuild.Rebuild(world, build / "pawl", build / "bench" / "bench_ceiling", progress).measure(
                options.documents, options.edits, options.runs)
            figures = rebuild.as_json(options.documents, options.edits, runs)
            text = f"{rebuild.as_markdown(options.documents, options.edits, runs)}\n\n{rebuild.verdict(runs)}"
        elif options.command == "outbox":
            result = outbox.Outbox(world, build / "pawl", build / "bench" / "bench_ceiling", progress).measure(
                options.documents, options.runs, options.edits, options.seconds)
            figures = outbox_text.as_json(result)
            text = f"{outbox_text.as_markdown(result)}\n\n{outbox_text.verdict(result)}"
        else:
            bench = throughput.Throughput(world, build / "pawl", build / "bench" / "bench_ceiling", progress)
            results = []
            for documents in options.documents:
                results.append(bench.measure(documents, options.runs, options.adopt))
                if len(results) == 1:
                    results[0].syncs_per_batch = bench.count_syncs()
            figures = throughput.as_json(results)
            text = f"{throughput.as_markdown(results)}\n\n{throughput.verdict(results)}"
    print(json.dumps(figures, indent=2) if options.json else f"\n{text}")


def main() -> int:
    options = parse_arguments()
    progress = Progress(sys.stderr)
    raise_on_signals()
    try:
        run(options, progress)
        return EXIT_DONE
    except Interrupted as signal:
        progress.say(f"{signal}: stopped, and cleaned up")
        return signal.exit_code
    except Exception as error:  # a person reads this; the kinds of failure need no telling apart
        if os.environ.get("PAWL_BENCH_TRACE"):
            raise
        progress.say(f"tools/bench FAILED: {type(error).__name__}: {error}")
        return EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())
