#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Runs clang-tidy over the files whose content is not on record as clean.

    tools/tidy.py            what changed since the last clean run
    tools/tidy.py --all      every file
    tools/tidy.py --list     prints the units that would be checked, and checks none

The record is tools/tidy.clean: a line `SHA256  FILE` for each clean file. It is part of the tree: commit
it together with what it vouches for. A changed header is checked by way of one unit that includes
it. Other checks or another clang-tidy make the record void. A run that fails or is interrupted keeps
what it found clean.

Needs a configured build (cmake --preset dev) for the compile commands. What --all adds: a unit that
did not change itself, but meets something new in a header."""
import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "tools" / "tidy.clean"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "codynamo"
FOLDERS = ["src", "include", "tools", "examples", "bench"]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every file, on record or not")
    parser.add_argument("--list", action="store_true", help="print the units, check none")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "dev", metavar="DIR",
                        help="has compile_commands.json (default: build/dev)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), metavar="N",
                        help="units at a time (default: one for each processor)")
    parser.add_argument("--clang-tidy", default=CACHE / "venv" / "bin" / "clang-tidy",
                        metavar="PROGRAM", help="default: the one tools/install-dependencies.sh has")
    return parser.parse_args()


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def checked_files():
    """Sources and headers by their path in the tree."""
    patterns = [f"{folder}/*.{suffix}" for folder in FOLDERS for suffix in ("cpp", "hpp")]
    listed = output_of("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--",
                       *patterns)
    return sorted(name for name in set(listed.split("\0")) if name and (ROOT / name).is_file())


def sum_of(*contents):
    return hashlib.sha256(b"\0".join(contents)).hexdigest()


def read_record(settings):
    """{file: sum} of what is clean under these settings; no file but of the record's own form."""
    if not RECORD.exists():
        return {}
    lines = [line.split("  ", 1) for line in RECORD.read_text().splitlines()
             if line and not line.startswith("#")]
    clean = {name: digest for digest, name in lines}
    return clean if clean.pop(".clang-tidy", None) == settings else {}


def write_record(settings, clean):
    lines = ["# Clean under clang-tidy; written by tools/tidy.py."]
    lines += [f"{digest}  {name}" for name, digest in sorted({**clean, ".clang-tidy": settings}.items())]
    RECORD.write_text("\n".join(lines) + "\n")


def units_of(build):
    """The files that are compiled, by their path in the tree, with the folders their headers are in."""
    path = build / "compile_commands.json"
    if not path.exists():
        sys.exit(f"tidy.py: {path} is missing: run cmake --preset dev first")
    units = {}
    for entry in json.loads(path.read_text()):
        file = Path(entry["file"]).resolve()
        if file.is_relative_to(ROOT) and not file.is_relative_to(build):
            folders = re.findall(r"-I *(\S+)", entry["command"])
            units[str(file.relative_to(ROOT))] = [Path(folder).resolve() for folder in folders]
    return units


def headers_of(unit, folders):
    """Every header of this tree that the unit includes, directly or not."""
    found, left = set(), [ROOT / unit]
    while left:
        file = left.pop()
        for name in INCLUDE.findall(file.read_text(encoding="utf-8")):
            for folder in [file.parent, *folders]:
                header = Path(os.path.normpath(folder / name))
                if header.is_relative_to(ROOT) and header.is_file():
                    if header not in found:
                        found.add(header)
                        left.append(header)
                    break
    return {str(header.relative_to(ROOT)) for header in found}


def choose_units(unclean, units):
    """{unit: the unclean files that it checks}: changed sources, and for the changed headers that
    these do not include one unit each; of the same name if there is one, a test only if need be."""
    chosen = {name: {name} for name in unclean if name.endswith(".cpp")}
    if unknown := sorted(chosen.keys() - units.keys()):
        sys.exit(f"tidy.py: the build compiles no {', '.join(unknown)}: run cmake --preset dev again")
    headers = {name for name in unclean if name.endswith(".hpp")}
    if not headers:
        return chosen
    included = {unit: headers_of(unit, folders) for unit, folders in units.items()}
    for unit, files in chosen.items():
        files |= headers & included[unit]
    for header in sorted(headers - set().union(*chosen.values())):
        if any(header in files for files in chosen.values()):
            continue
        users = [unit for unit in included if header in included[unit]]
        if not users:
            sys.exit(f"tidy.py: nothing that is compiled includes {header}")
        unit = min(users, key=lambda user: (not Path(user).stem == Path(header).stem,
                                            user.startswith("tests/"), len(included[user]), user))
        chosen[unit] = headers & included[unit]
    return chosen


def check(arguments, unit, files):
    command = [arguments.clang_tidy, "--quiet", "-p", arguments.build]
    if unit not in files:  # it stands for headers, and is not to be checked itself
        command.append("--line-filter=" + json.dumps([{"name": name} for name in sorted(files)]))
    done = subprocess.run([*command, unit], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def main():
    arguments = parse_arguments()
    try:
        version = output_of(arguments.clang_tidy, "--version")
    except OSError as why:
        sys.exit(f"tidy.py: {why}: run tools/install-dependencies.sh tidy")
    number = re.search(r"version (\S+)", version)
    settings = sum_of((ROOT / ".clang-tidy").read_bytes(), (number[1] if number else version).encode())
    sums = {name: sum_of((ROOT / name).read_bytes()) for name in checked_files()}
    clean = {} if arguments.all else read_record(settings)
    clean = {name: digest for name, digest in clean.items() if sums.get(name) == digest}
    units = units_of(arguments.build.resolve())
    chosen = choose_units(sorted(sums.keys() - clean.keys()), units)
    if arguments.list:
        print("\n".join(sorted(chosen)))
        return 0
    failed = 0
    print(f"{len(chosen)} units to check, {len(clean)} of {len(sums)} files clean already", flush=True)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        running = {pool.submit(check, arguments, unit, chosen[unit]): unit for unit in sorted(chosen)}
        try:
            for future in concurrent.futures.as_completed(running):
                code, words = future.result()
                unit = running[future]
                if code:
                    failed += 1
                    print(f"{unit}: not clean\n{words}", flush=True)
                else:
                    clean |= {name: sums[name] for name in chosen[unit] if name in sums}
        finally:
            pool.shutdown(cancel_futures=True)
            write_record(settings, clean)
    if failed:
        print(f"{failed} of {len(chosen)} units are not clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
