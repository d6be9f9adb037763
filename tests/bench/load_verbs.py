#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""codynamo-bench ycsb and rate, as a user gives them, against a local server.

    load_verbs.py FOLDER      with codynamo-bench; 77 without CODYNAMO_TEST_ENDPOINT
"""
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

ENDPOINT = os.environ.get("CODYNAMO_TEST_ENDPOINT")
TABLE = "bench-" + uuid.uuid4().hex


def run(binary, *arguments, code=0):
    done = subprocess.run([binary, *map(str, arguments), "--json", "-"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert done.returncode == code, (arguments, done.returncode, done.stderr)
    return json.loads(done.stdout) if done.stdout else None


def ycsb(binary, workload, *more, code=0, table=TABLE):
    return run(binary, "ycsb", "--workload", workload, "--server", ENDPOINT, "--table", table,
               "--records", 600, "--seconds", 0.5, "--warmup", 0.1, "--concurrency", 8, *more,
               code=code)


def check_ycsb(binary):
    mixes = {"a": {"read", "update"}, "b": {"read", "update"}, "c": {"read"},
             "d": {"read", "insert"}, "f": {"read", "read_modify_write"}}
    for letter, mix in mixes.items():
        table = TABLE + letter
        seen = ycsb(binary, letter, table=table)
        assert seen["kind"] == "ycsb" and seen["complete"] and seen["errors"] == 0, seen
        assert set(seen["operations"]) == mix, seen
        assert 0 < seen["memory_hit_ratio"] < 1, seen
        assert seen["load_units"] >= 600, seen
        assert (seen["consumed_units"]["write"] > 0) == (letter != "c"), seen
    # Without the layer every read is paid for, half a unit for each; eventually consistent ones
    # of up to 4 KiB.
    alone = ycsb(binary, "c", "--no-load", "--no-memory-layer", "--batching", "off",
                 table=TABLE + "c")
    assert alone["memory_hit_ratio"] is None
    assert abs(alone["units_per_op"]["read"] - 0.5) < 0.05, alone
    layered = ycsb(binary, "c", "--no-load", "--memory-records", 1000, table=TABLE + "c")
    assert layered["units_per_op"]["read"] < 0.1, layered
    # Whatever is not what was written fails the run.
    wrong = ycsb(binary, "c", "--no-load", "--value-size", 999, code=3, table=TABLE + "c")
    assert wrong["errors"] > 0, wrong


def check_rate(binary):
    place = ["rate", "--server", ENDPOINT, "--table", TABLE, "--seconds", 1, "--prepare"]
    seen = run(binary, *place, "--rate", 50)
    assert seen["kind"] == "rate" and seen["complete"] and seen["errors"] == 0, seen
    assert seen["rate"]["arrived"] == 50 and seen["rate"]["reached"], seen
    latency, service = seen["latency_us"], seen["service_us"]
    assert latency["p50"] <= latency["p9999"] <= latency["max"], seen
    assert latency["max"] >= service["max"], seen
    seen = run(binary, *place, "--rate", 200_000, "--concurrency-limit", 2)
    assert not seen["rate"]["reached"] and seen["rate"]["most_in_flight"] == 2, seen
    assert seen["latency_us"]["p50"] > 10 * seen["service_us"]["p50"], seen


def check_interruption(binary):
    place = ["--server", ENDPOINT, "--table", TABLE, "--seconds", "60", "--json", "-"]
    for verb in (["rate", "--rate", "100"], ["ycsb", "--records", "50"],
                 ["ycsb", "--records", "50000000"]):
        process = subprocess.Popen([binary, *verb, *place], text=True, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL)
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        figures = json.loads(process.communicate(timeout=30)[0])
        assert process.returncode == 130, (verb, process.returncode)
        assert figures["kind"] == verb[0] and not figures["complete"], figures
        # The last one is still loading.
        assert (figures["ops"] > 0) == ("50000000" not in verb), figures


def main():
    if not ENDPOINT:
        print("CODYNAMO_TEST_ENDPOINT is not set")
        return 77
    binary = Path(sys.argv[1], "codynamo-bench")
    check_ycsb(binary)
    check_rate(binary)
    check_interruption(binary)
    return 0


if __name__ == "__main__":
    sys.exit(main())
