#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Instructions and heap allocations of a get, counted by callgrind, beside a committed baseline.

Every loop runs twice, with different numbers of gets; the difference is theirs alone, without the
start. Exit code: 0 within 5 %, 1 when something grew by more, 2 wrong usage, 3 when it cannot be
counted, 77 without what it takes (with --skip-without-build)."""
import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import callgrind  # noqa: E402
import compare  # noqa: E402
import json_option  # noqa: E402
import machine  # noqa: E402
import terminal  # noqa: E402

BASELINE = HERE / "baseline.json"
# Beyond it somebody hangs.
TIMEOUT_SECONDS = 100
CACHED = ["--table", "cache", "--key", "1k", "--concurrency", "32"]
SCENARIOS = {
    "plain, 32 in flight": (["wire", "--server", "{plain}", *CACHED], 2000, 10000),
    "TLS, 32 in flight": (["wire", "--server", "{tls}", "--tls-ca", "{ca}", *CACHED],
                          2000, 10000),
    "batched, 32 in flight": (["gate-loop", "batch", "--server", "{batch}"], 3200, 32000),
    "memory hit": (["gate-loop", "memory"], 20000, 220000),
}


class Failed(Exception):
    """Why nothing was counted."""


def environment():
    """The same everywhere: credentials, allocator and locale."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("AWS_", "LC_", "LANG", "MALLOC_", "GLIBC_TUNABLES", "OPENSSL_"))
            and not name.lower().endswith("_proxy")}
    return {**kept, "AWS_ACCESS_KEY_ID": "gate", "AWS_SECRET_ACCESS_KEY": "gate",
            "AWS_REGION": "us-east-1", "LC_ALL": "C"}


def output_of(*command, cwd=None):
    done = subprocess.run(list(map(str, command)), cwd=cwd, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or ["nothing was said"]
        raise Failed(f"{Path(command[0]).name}: {words[-1]}")
    return done.stdout


class Servers:
    """nginx with a fixed answer, plain and over TLS, and ours, which knows batches."""

    def __init__(self, program):
        self.places, self.folder = {}, None
        self.batch = subprocess.Popen([program, "gate-loop", "serve"], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        self.places["batch"] = self.batch.stdout.readline().strip()

    def __enter__(self):
        try:
            self.folder, *lines = output_of(ROOT / "bench/canned.sh", "start").splitlines()
        except Failed:
            self.__exit__()
            raise
        self.places.update(line.split("=", 1) for line in lines)
        return self.places

    def __exit__(self, *_):
        self.batch.stdin.close()
        self.batch.wait()
        if self.folder:
            output_of(ROOT / "bench/canned.sh", "stop", self.folder)


def profile(program, words, gets, folder):
    """What callgrind counts of one run."""
    out = Path(folder, "callgrind.out")
    command = ["valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={out}", program,
               *words, "--ops", gets]
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(),
                          timeout=TIMEOUT_SECONDS)
    if done.returncode:
        raise Failed(f"{' '.join(words)}: {done.stderr.strip() or done.returncode}")
    return callgrind.read(out)


def measure(program, wanted):
    """What each scenario takes, and whether Ctrl-C has left some out."""
    measured, interrupted = {}, False
    with Servers(program) as places, tempfile.TemporaryDirectory() as folder:
        try:
            for scenario in wanted:
                words, few, many = SCENARIOS[scenario]
                words = [word.format(**places) for word in words]
                terminal.show(scenario)
                difference = (profile(program, words, many, folder)
                              - profile(program, words, few, folder))
                measured[scenario] = compare.per_get(difference, many - few)
        except KeyboardInterrupt:
            interrupted = True
    terminal.show("")
    return measured, interrupted


def versions(program):
    found = json.loads(output_of(program, "gate-loop", "versions"))
    found["valgrind"] = output_of("valgrind", "--version").strip().removeprefix("valgrind-")
    # The C library and OpenSSL choose their loops by what the processor can do.
    found["cpu"] = machine.description()["cpu"]
    return found


def build(release):
    """Up to date, or the wrong thing is counted. Its output goes to stderr."""
    cmake = ["cmake", "--build", release, "-j", str(os.cpu_count()), "--target", "codynamo_bench"]
    if not (release / "CMakeCache.txt").exists():
        cmake_preset = subprocess.run(["cmake", "--preset", "release"], cwd=ROOT,
                                      stdout=sys.stderr, stdin=subprocess.DEVNULL)
        if cmake_preset.returncode:
            raise Failed("cmake failed")
    if subprocess.run(cmake, cwd=ROOT, stdout=sys.stderr, stdin=subprocess.DEVNULL).returncode:
        raise Failed("the release build failed")
    return release / "bench" / "codynamo-bench"


def arguments():
    parser = argparse.ArgumentParser(prog="codynamo-bench gate", description=__doc__.split("\n")[0])
    parser.add_argument("--update", action="store_true", help="make this the baseline")
    json_option.add_to(parser)
    parser.add_argument("--only", nargs="+", choices=list(SCENARIOS), metavar="SCENARIO",
                        help="of " + "; ".join(SCENARIOS))
    parser.add_argument("--baseline", metavar="FILE", type=Path, default=BASELINE)
    parser.add_argument("--bin", metavar="FILE", type=Path, help="the codynamo-bench to count; "
                        "without it the release preset's, which is built")
    parser.add_argument("--skip-without-build", action="store_true",
                        help="exit with 77 where there is no release build yet")
    return parser.parse_args()


def missing(options):
    """What it takes and is not here."""
    for tool, part in (("valgrind", "test"), ("nginx", "test")):
        if not shutil.which(tool):
            return f"there is no {tool}; tools/install-dependencies.sh {part} installs it"
    if not options.bin and not (ROOT / "build/release/CMakeCache.txt").exists() \
            and options.skip_without_build:
        return "there is no release build; tools/test.sh makes one"
    return None


def load(path):
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def document(complete, measured, found_versions, entries):
    return {"kind": "gate", "format": 1, "complete": complete,
            "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "machine": machine.description(), "versions": found_versions,
            "tolerance": compare.TOLERANCE, "scenarios": measured, "compared": entries,
            "passed": not compare.failed(entries)}


def update(options, measured, found_versions):
    kept = load(options.baseline)
    kept.update(kind="gate-baseline", format=1, versions=found_versions,
                scenarios={**kept.get("scenarios", {}), **measured})
    options.baseline.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n",
                                encoding="utf-8")


def main():
    options = arguments()
    why_not = missing(options)
    if why_not:
        print(f"skipped: {why_not}" if options.skip_without_build else f"gate: {why_not}",
              file=sys.stderr)
        return 77 if options.skip_without_build else 3
    if options.bin and not (options.bin.is_file() and os.access(options.bin, os.X_OK)):
        print(f"gate: --bin {options.bin} is not a program; it wants the file codynamo-bench",
              file=sys.stderr)
        return 2
    program = options.bin or build(ROOT / "build/release")
    measured, interrupted = measure(program, options.only or SCENARIOS)
    found_versions = versions(program)
    if options.update and not interrupted:
        update(options, measured, found_versions)
    baseline = load(options.baseline)
    entries = compare.compared(baseline.get("scenarios", {}), measured)
    made = document(not options.only and not interrupted, measured, found_versions, entries)
    print(compare.text(entries, compare.different_versions(baseline.get("versions", {}),
                                                           found_versions)),
          file=sys.stderr if json_option.is_stdout(options) else sys.stdout)
    if options.json:
        options.json.write(made)
    if interrupted:
        return 130
    return 1 if compare.failed(entries) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except (Failed, subprocess.TimeoutExpired, OSError) as why:
        print(f"gate: {why}", file=sys.stderr)
        sys.exit(3)
