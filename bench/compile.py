#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""How long a user's translation unit takes to compile: one that uses the cache, and a whole program
whose main also runs it; beside the same with nothing but Asio's coroutines, and an empty main. In
turns; medians of the compiler's own user time."""
import argparse
import datetime
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))
import json_option  # noqa: E402
import machine  # noqa: E402
import terminal  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
USE = """\
#include <codynamo/cache.hpp>
#include <codynamo/dynamodb_backend.hpp>
#include <boost/describe.hpp>
struct profile {
    std::string name;
    int age;
};
BOOST_DESCRIBE_STRUCT(profile, (), (name, age))
boost::asio::awaitable<void> work() {
    codynamo::dynamodb_backend_config config;
    config.table_name = "profiles";
    auto backend = co_await codynamo::dynamodb_backend::open(std::move(config));
    codynamo::cache<profile> cache{backend};
    co_await cache.set("alice", {"Alice", 41});
    std::optional<profile> found = co_await cache.get("alice");
    if (!found || found->age != 41) throw std::runtime_error("another value");
}
"""
MAIN = """\
int main() {
    boost::asio::io_context context(1);
    boost::asio::co_spawn(context, work(), [](std::exception_ptr) {});
    context.run();
}
"""
RUNNING = """\
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
"""
ASIO = """\
#include <boost/asio/awaitable.hpp>
boost::asio::awaitable<void> work() { co_return; }
"""
UNITS = {"codynamo": USE, "codynamo_program": RUNNING + USE + MAIN,
         "asio": ASIO, "asio_program": RUNNING + ASIO + MAIN, "empty": "int main() {}\n"}


def spread(values):
    """Of figures: their median and bounds; None of none."""
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def results(runs):
    return {name: spread(runs[name]) for name in UNITS}


def compile_seconds(compiler, source):
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    command = [compiler, "-O2", "-std=c++20", "-I", str(ROOT / "include"), "-c", str(source),
               "-o", os.devnull]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        print(f"compile: {source.stem}: {words[0]}", file=sys.stderr)
        sys.exit(3)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def measure(options):
    """Whether it was finished; the seconds of each unit; the load of others."""
    runs = {name: [] for name in UNITS}
    cores = set(range(os.cpu_count()))
    begin, busy, own = datetime.datetime.now(), machine.busy_now(cores), own_cpu()
    complete = True
    with tempfile.TemporaryDirectory() as folder:
        sources = {name: Path(folder, name + ".cpp") for name in UNITS}
        for name, text in UNITS.items():
            sources[name].write_text(text, encoding="utf-8")
        try:
            for name, source in sources.items():  # what the disk has to be asked for
                compile_seconds(options.compiler, source)
            for number in range(options.rounds):
                progress(f"round {number + 1} of {options.rounds}", options)
                for name, source in sources.items():
                    runs[name].append(compile_seconds(options.compiler, source))
        except KeyboardInterrupt:
            complete = False
    progress("", options)
    length = (datetime.datetime.now() - begin).total_seconds()
    busy, own = machine.busy_now(cores) - busy, own_cpu() - own
    return complete, runs, max(0.0, (busy - own) / length)


def own_cpu():
    total = 0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(who)
        total += used.ru_utime + used.ru_stime
    return total


def progress(text, options):
    if not json_option.is_stdout(options):
        terminal.show(text)


def arguments():
    parser = argparse.ArgumentParser(prog="codynamo-bench compile", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--compiler", default="g++", help="default: g++")
    json_option.add_to(parser)
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds wants 1 or more")
    if not shutil.which(options.compiler):
        parser.error(f"there is no {options.compiler}")
    return options


def main():
    options = arguments()
    complete, runs, other = measure(options)
    version = subprocess.run([options.compiler, "--version"], capture_output=True, text=True,
                             check=True).stdout.splitlines()[0]
    document = {"kind": "compile", "format": 1, "complete": complete,
                "machine": machine.description(), "compiler": version,
                "flags": "-O2 -std=c++20", "rounds": options.rounds, "other_load": other,
                "noisy": other > 0.1, "seconds": results(runs)}
    table = sys.stderr if json_option.is_stdout(options) else sys.stdout
    print(f"{version}, -O2 -std=c++20, user seconds of {options.rounds} rounds", file=table)
    for name, seen in document["seconds"].items():
        if seen:
            print(f"  {name:16} {seen['median']:6.2f}  ({seen['min']:.2f} to {seen['max']:.2f})",
                  file=table)
    print(f"  load of others, cores {other:.2f}{'  (noisy)' if other > 0.1 else ''}", file=table)
    if options.json:
        options.json.write(document)
    return 0 if complete else 130


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
