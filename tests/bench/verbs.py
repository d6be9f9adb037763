#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""inflight, scale, micro and compile run, and their JSON says what bench/README.md promises.

    verbs.py CODYNAMO-BENCH
"""
import json
import subprocess
import sys
import tempfile
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

    def test_hitratio_writes_its_figures(self):
        with tempfile.TemporaryDirectory() as folder:
            trace, figures = Path(folder, "trace.u32"), Path(folder, "figures.json")
            trace.write_bytes(b"\1\0\0\0" * 10)
            words = ("hitratio", "--trace", trace, "--capacity", "2", "--json")
            self.assertEqual(run(*words, figures).returncode, 0)
            found = json.loads(figures.read_text(encoding="ascii"))
            self.assertEqual((found["requests"], found["hits"], found["ratio"]), (10, 9, 0.9))
            self.assertEqual((found["kind"], found["complete"]), ("hitratio", True))
            self.assertEqual(json.loads(run(*words, "-").stdout)["hits"], 9)

    def test_gate_refuses_what_is_no_program(self):
        done = run("gate", "--bin", PROGRAM.parent)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(str(PROGRAM.parent), done.stderr)

    def test_servers_that_are_none_are_refused(self):
        rate = ("rate", "--rate", "9")
        for verb in (("wire",), rate, ("ycsb",), ("batching",),
                     ("soak", "--table", "abc", "--ack-log", "/dev/null/log")):
            for server in ("both", "Dynoxide", "", "localhost:8000", "http://", "http://a/b"):
                done = run(*verb, "--server", server)
                self.assertEqual(done.returncode, 2, (verb, server, done.stderr))
                self.assertIn("--server", done.stderr)
                self.assertIn(server, done.stderr)
        for verb in (("wire",), rate, ("ycsb",)):
            self.assertEqual(run(*verb, "--server", "canned").returncode, 2, verb)

    def test_a_server_that_is_started_has_nothing_to_read(self):
        for words in (("ycsb", "--no-load"),
                      ("soak", "--table", "abc", "--verify", "log", "--server", "moto")):
            done = run(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("is started for the run", done.stderr)

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
