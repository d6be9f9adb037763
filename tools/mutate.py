#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Mutation score: changes one place of src/ at a time and runs the tests; see docs/mutation.md.

    tools/mutate.py --count 60            a sample of 60 changes, drawn by --seed
    tools/mutate.py --at src/a.cpp:17     every change of one line
    tools/mutate.py --again               what survived before, against the tests of today
    tools/mutate.py --report              the score of what has been measured

The tests are those of a commit (HEAD), in a git worktree below --build: your files and your builds are
not touched. A run that was stopped continues where it was."""
import argparse
import collections
import fcntl
import fnmatch
import hashlib
import json
import signal
import sys
import time
from pathlib import Path, PurePosixPath

from mutation.exclusions import Exclusions, load_equivalents
from mutation.judge import Judge
from mutation.points import points_of
from mutation.tree import STAGES, Failed, Tree

ROOT = Path(__file__).resolve().parents[1]
EQUIVALENTS = Path(__file__).resolve().parent / "mutation" / "equivalents.txt"


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Changes one place of src/ at a time and runs unit, net, stress and simulation "
                    "tests; prints which changes no test notices.")
    parser.add_argument("--count", type=int, default=60, metavar="N",
                        help="how many mutants that compile (default: 60)")
    parser.add_argument("--files", default="src/*", metavar="GLOB",
                        help="of which files; * also matches / (default: src/*)")
    parser.add_argument("--seed", type=int, default=1, metavar="S",
                        help="of the sample; a larger --count extends it (default: 1)")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "mutate", metavar="DIR",
                        help="for the worktree, its build and the results (default: build/mutate)")
    parser.add_argument("--commit", default="HEAD", metavar="REVISION",
                        help="what is changed and tested (default: HEAD)")
    parser.add_argument("--timeout", type=float, metavar="SECONDS",
                        help="of a test program; longer is a kill (default: 60 s and four times "
                             "what it takes unchanged)")
    parser.add_argument("--at", metavar="FILE:LINE", help="only the changes of this line, all")
    parser.add_argument("--again", action="store_true",
                        help="only what survived when it was last run, all")
    parser.add_argument("--list", action="store_true", help="print the changes, make none")
    parser.add_argument("--report", action="store_true", help="print what is measured, run nothing")
    arguments = parser.parse_args()
    if arguments.count < 1:
        parser.error(f"--count is {arguments.count}: at least 1")
    if arguments.timeout is not None and arguments.timeout <= 0:
        parser.error(f"--timeout is {arguments.timeout}: more than 0")
    if arguments.at and not arguments.at.rpartition(":")[2].isdigit():
        parser.error(f"--at is '{arguments.at}': FILE:LINE")
    arguments.build = arguments.build.resolve()
    return arguments


class Results:
    """A file of JSON lines: one for each mutant, and one for each commit's unchanged tests."""

    def __init__(self, path):
        self.path, self.baselines, self.mutants = path, {}, {}
        if not path.exists():
            return
        text = path.read_text(encoding="utf-8")
        whole = text[:text.rfind("\n") + 1]
        if whole != text:  # a run was killed while it wrote the last line
            path.write_text(whole, encoding="utf-8")
        for line in whole.splitlines():
            self.take(json.loads(line))

    def take(self, record):
        if "baseline" in record:
            self.baselines[record["commit"]] = record["baseline"]
        else:
            place = record["commit"], record["key"]
            self.mutants.pop(place, None)  # the last one comes last
            self.mutants[place] = record

    def add(self, record):
        self.take(record)
        with open(self.path, "a", encoding="utf-8") as out:
            out.write(json.dumps(record) + "\n")

    def survivors(self):
        """(file, line's text, change) of what survived and has not been killed since."""
        last = {}
        for record in self.mutants.values():
            last[record["file"], record["source"], record["change"]] = record["outcome"]
        return {place for place, outcome in last.items() if outcome == "survived"}


class Candidates:
    """The changes that may be made, in the order in which they are drawn."""

    def __init__(self, folder, arguments, survivors):
        exclusions = Exclusions(load_equivalents(EQUIVALENTS))
        self.excluded = collections.Counter()
        self.points = []
        for path in sorted((folder / "src").rglob("*")):
            file = path.relative_to(folder).as_posix()
            if path.suffix not in (".cpp", ".hpp") or not fnmatch.fnmatch(file, arguments.files):
                continue
            for point in points_of(file, path.read_text(encoding="utf-8")):
                if arguments.at and f"{file}:{point.line}" != arguments.at:
                    continue
                if arguments.again and (file, point.source, point.change) not in survivors:
                    continue
                reason = exclusions.reason(point)
                if reason:
                    self.excluded[reason] += 1
                else:
                    self.points.append(point)
        ranks = self.ranks(arguments.seed)
        self.points.sort(key=ranks.get)

    def ranks(self, seed):
        """The order of a sample. A change keeps its place when other code or a rule changes, so
        that two commits are compared by nearly the same sample."""
        alike = collections.Counter()
        ranks = {}
        for point in self.points:
            words = f"{seed}\n{point.file}\n{point.source}\n{point.kind} {point.change}"
            alike[words] += 1
            ranks[point] = hashlib.sha256(f"{words}\n{alike[words]}".encode()).digest()
        return ranks


def run_mutants(arguments, tree, results, candidates):
    """Draws until as many as asked for have compiled. Those of one file follow each other: what
    is restored and what is changed are then compiled at once."""
    everything = bool(arguments.at or arguments.again)
    queue = list(candidates.points)
    wanted = len(queue) if everything else arguments.count
    judge = Judge(tree, arguments.timeout)
    judge.baseline = results.baselines.get(tree.commit, {})
    done = {}
    while queue and (everything or counted(done) < wanted):
        size = len(queue) if everything else wanted - counted(done)
        batch, queue = sorted(queue[:size], key=lambda p: (p.file, p.start)), queue[size:]
        for point in batch:
            record = results.mutants.get((tree.commit, point.key))
            if not record or arguments.again:
                if judge.baseline.keys() != {stage.folder for stage in STAGES}:
                    print("building, and running the unchanged tests", flush=True)
                    results.add({"commit": tree.commit, "baseline": judge.measure()})
                    print("unchanged: " + ", ".join(f"{name} tests {seconds} s" for name, seconds
                                                    in judge.baseline.items()), flush=True)
                record = run_one(judge, tree.commit, point)
                results.add(record)
            done[point.key] = record
            print(f"[{counted(done)}/{wanted}] {line_of(record)}", flush=True)
    return list(done.values())


def run_one(judge, commit, point):
    began = time.monotonic()
    outcome, by = judge.judge(point)
    return {"commit": commit, "key": point.key, "file": point.file, "line": point.line,
            "column": point.column, "kind": point.kind, "change": point.change,
            "source": point.source, "outcome": outcome, "by": by,
            "seconds": round(time.monotonic() - began, 1)}


def counted(done):
    return sum(record["outcome"] != "not compiled" for record in done.values())


def line_of(record):
    by = f" by {record['by']}" if record["by"] else ""
    return f"{record['outcome']}{by}: {record['key']} ({record['seconds']} s)"


def print_report(records, excluded):
    score = collections.defaultdict(collections.Counter)
    for record in records:
        for folder in (str(PurePosixPath(record["file"]).parent), "all"):
            score[folder][record["outcome"]] += 1
    print(f"\n{'folder':<16}{'killed':>8}{'survived':>10}{'score':>8}{'not compiled':>14}")
    for folder in sorted(score, key=lambda name: (name == "all", name)):
        numbers = score[folder]
        total = numbers["killed"] + numbers["survived"]
        share = f"{100 * numbers['killed'] / total:.1f} %" if total else "-"
        print(f"{folder:<16}{numbers['killed']:>8}{numbers['survived']:>10}{share:>8}"
              f"{numbers['not compiled']:>14}")
    if excluded:
        print("excluded: " + ", ".join(f"{count} {reason}"
                                       for reason, count in sorted(excluded.items())))
    alive = sorted((record for record in records if record["outcome"] == "survived"),
                   key=lambda record: (record["file"], record["line"], record["column"]))
    print(f"\nsurvivors: {len(alive)}")
    for record in alive:
        print(f"  {record['key']}\n      {record['source']}")


def work(arguments):
    arguments.build.mkdir(parents=True, exist_ok=True)
    lock = open(arguments.build / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failed(f"another run works in {arguments.build}") from None
    tree = Tree(ROOT, arguments.build)
    results = Results(arguments.build / "results.jsonl")
    tree.check_out(arguments.commit)
    candidates = Candidates(tree.folder, arguments, results.survivors())
    if not candidates.points and not arguments.again:
        raise Failed(f"nothing to change in {arguments.at or arguments.files}")
    if arguments.list:
        for point in candidates.points:
            print(f"{point.key}\n      {point.source}")
        return
    print(f"seed {arguments.seed}, commit {tree.commit}, {len(candidates.points)} changes of "
          f"{arguments.files}, results in {results.path}", flush=True)
    if arguments.report:
        keys = {point.key for point in candidates.points}
        print_report([record for (commit, key), record in results.mutants.items()
                      if commit == tree.commit and key in keys], candidates.excluded)
        return
    tree.configure()
    print_report(run_mutants(arguments, tree, results, candidates), candidates.excluded)


def stop(number, _):
    raise SystemExit(128 + number)


def main():
    arguments = parse_arguments()
    signal.signal(signal.SIGTERM, stop)
    try:
        work(arguments)
    except (Failed, ValueError) as failed:
        print(f"mutate.py: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("mutate.py: stopped; the same command continues", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
