#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""inflight, scale, micro and compile run, and their JSON says what bench/README.md promises.

    verbs.py CODYNAMO-BENCH
"""
import json
import subprocess
import sys
import unittest
from pathlib import Path

PROGRAM = Path(sys.argv.pop(1))


def run(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=200,
                          check=False)


class Verbs(unittest.TestCase):
    def document(self, *words):
        done = run(*words, "--json", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual((found["kind"], found["format"], found["complete"]), (words[0], 1, True))
        self.assertEqual({"cpu", "cores", "memory_bytes", "system", "kernel"},
                         set(found["machine"]))
        self.assertGreaterEqual(found["other_load"], 0)
        self.assertIn("noisy", found)
        return found

    def test_inflight_completes_and_cancels_all(self):
        found = self.document("inflight", "--gets", "500", "--connections", "8", "--batching",
                              "off,on")
        self.assertEqual([each["batching"] for each in found["results"]], ["off", "on"])
        for each in found["results"]:
            self.assertEqual(each["wrong"], 0)
            self.assertTrue(each["fair"])
            self.assertGreater(each["heap_bytes_per_get"], 300)  # fewer would be no coroutine
            self.assertGreaterEqual(each["cancel_ms"], each["emit_ms"])

    def test_inflight_refuses_what_it_cannot_do(self):
        self.assertEqual(run("inflight", "--connections", "0").returncode, 2)
        self.assertEqual(run("inflight", "--batching", "perhaps").returncode, 2)

    def test_batching_refuses_modes_that_are_none(self):
        for mode in ("perhaps", "auto:", "auto:x", "auto:0", "off,ON"):
            done = run("batching", "--modes", mode)
            self.assertEqual(done.returncode, 2, mode)
            self.assertIn(mode.split(",")[-1], done.stderr)

    def test_scale_measures_every_number_of_threads(self):
        found = self.document("scale", "--seconds", "0.02", "--rounds", "2")
        self.assertEqual([(each["what"], each["threads"]) for each in found["results"]],
                         [(what, threads) for what in ("wire", "memory", "one key")
                          for threads in (1, 2)])
        for each in found["results"]:
            self.assertGreater(each["gets_per_s"], 0)
            self.assertGreater(each["cpu_us_per_get"], 0)
            if each["threads"] == 1:
                self.assertEqual(each["scaling_by_wall"], 1)

    def test_compile_times_its_units(self):
        found = self.document("compile", "--rounds", "1")
        seconds = {name: each["median"] for name, each in found["seconds"].items()}
        self.assertGreater(seconds["codynamo"], seconds["asio"])
        self.assertGreater(seconds["asio"], seconds["empty"])

    def test_micro_passes_options_on_or_says_what_is_missing(self):
        done = run("micro", "--benchmark_filter=crc32", "--benchmark_min_time=0.01",
                   "--benchmark_format=json")
        if not PROGRAM.with_name("codynamo-micro").exists():
            self.assertEqual(done.returncode, 3)
            self.assertIn("codynamo-micro", done.stderr)
            return
        self.assertEqual(done.returncode, 0, done.stderr)
        names = [each["name"] for each in json.loads(done.stdout)["benchmarks"]]
        self.assertEqual(names, ["crc32/1500"])


if __name__ == "__main__":
    unittest.main()
