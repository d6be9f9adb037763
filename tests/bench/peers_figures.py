#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The comparison's own arithmetic, on made-up runs: medians, ratios, marks, repetition, skipping."""
import argparse
import json
import re
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench" / "peers"))
import clients  # noqa: E402
import figures  # noqa: E402
import machine  # noqa: E402
import run as harness  # noqa: E402
import servers  # noqa: E402

LIMIT = harness.OTHER_LOAD_LIMIT


def made_up(client, number, cpu, **changes):
    return {"server": "canned", "concurrency": 32, "client": client, "round": number, "attempt": 1,
            "counted": True, "client_cpu": 0.97, "server_cpu": 0.4, "other_load": 0.02,
            "figures": {"ops": 1000, "errors": 0, "seconds": 1.0, "ops_per_s": 1e6 / cpu,
                        "cpu_us_per_op": cpu, "allocations_per_op": None, "peak_rss_bytes": 1 << 20,
                        "latency_us": {"p50": cpu, "p90": cpu, "p99": 2 * cpu, "p999": 3 * cpu,
                                       "max": 9 * cpu}}, **changes}


def document(runs, **changes):
    return {"complete": True, "method": {"other_load_limit": LIMIT,
                                         "servers": {"canned": {"title": "fixed answers",
                                                               "version": "nginx/1",
                               "package_version": None}}},
            "skipped": {}, "failed": [], "results": figures.results(runs, LIMIT), **changes}


class Arithmetic(unittest.TestCase):
    def test_spread(self):
        for values, expected in [([3.0, 1.0, 2.0], (2.0, 1.0, 3.0)), ([1.0, 4.0], (2.5, 1.0, 4.0)),
                                 ([None, 5.0, None], (5.0, 5.0, 5.0))]:
            found = figures.spread(values)
            self.assertEqual((found["median"], found["min"], found["max"]), expected)
        self.assertIsNone(figures.spread([None, None]))
        self.assertIsNone(figures.spread([]))

    def test_ratio_pairs_the_rounds(self):
        own = [made_up("boto3", 1, 100), made_up("boto3", 2, 400), made_up("boto3", 4, 7)]
        ours = [made_up("codynamo", 1, 10), made_up("codynamo", 2, 20), made_up("codynamo", 3, 1)]
        self.assertEqual(figures.ratio(own, ours), {"median": 15, "min": 10, "max": 20})
        self.assertIsNone(figures.ratio(own, []))

    def test_bottleneck(self):
        for client, server, expected in [(0.99, 0.4, "client"), (0.3, 0.95, "server"),
                                         (0.95, 0.95, "both"), (0.5, 0.5, "neither")]:
            self.assertEqual(figures.bottleneck(client, server), expected)

    def test_results(self):
        runs = [made_up("codynamo", n, cpu) for n, cpu in enumerate([10, 12, 11], 1)]
        runs += [made_up("floor", n, 8) for n in (1, 2, 3)]
        runs[1]["other_load"] = 0.3
        runs.append(made_up("floor", 3, 999, counted=False))
        runs.append(made_up("floor", 1, 5, server="dynoxide"))
        ours, floor, elsewhere = figures.results(runs, LIMIT)
        self.assertEqual(ours["cpu_us_per_op"], {"median": 11, "min": 10, "max": 12})
        self.assertEqual(ours["latency_us"]["p99"]["median"], 22)
        self.assertEqual((ours["rounds"], ours["noisy_rounds"], ours["ops"]), (3, 1, 3000))
        self.assertEqual(ours["ratio_to_floor"]["median"], 11 / 8)
        self.assertIsNone(ours["allocations_per_op"])
        self.assertEqual(floor["cpu_us_per_op"]["max"], 8, "what does not count was counted")
        self.assertEqual(elsewhere["server"], "dynoxide")
        self.assertIsNone(elsewhere["ratio_to_codynamo"])
        json.dumps([ours, floor, elsewhere])

    def test_table(self):
        runs = [made_up("codynamo", 1, 10), made_up("boto3", 1, 1234.5, other_load=0.5)]
        failed = {"server": "canned", "concurrency": 32, "client": "wrk", "round": 1,
                  "reason": "another value"}
        text = figures.markdown(document(runs, complete=False, failed=[failed],
                                         skipped={"aws-sdk-rust": "there is no cargo"}))
        rows = [line for line in text.splitlines() if line.startswith("| ")]
        self.assertRegex(rows[1], r"^\| codynamo +\| 10\.00 +\| 1\.00 ×")
        self.assertRegex(rows[2], r"^\| boto3 \\\*1 +\| 1,23[45] +\| 123\.[45] ×")
        self.assertIn("97%", rows[1])
        self.assertEqual(len({line.count("|") for line in text.splitlines() if "|" in line}), 1)
        for words in ("### fixed answers nginx/1, 32 in flight", "more than 10% of a core",
                      "Failed: wrk (canned, 32 in flight): another value",
                      "Skipped: aws-sdk-rust: there is no cargo", "Interrupted"):
            self.assertIn(words, text)

    def test_nothing_measured(self):
        self.assertIn("Interrupted", figures.markdown(document([], complete=False)))


class Machine(unittest.TestCase):
    def test_busy(self):
        text = ("cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 10 20 30 4000 500 1 2 3 7 7\n"
                "cpu1 100 0 0 0 0 0 0 0 0 0\ncpu10 900 0 0 0 0 0 0 0 0 0\nintr 5\n")
        self.assertAlmostEqual(machine.busy_seconds(text, {0}) * machine.TICK, 66)
        self.assertAlmostEqual(machine.busy_seconds(text, {0, 1}) * machine.TICK, 166)

    def test_process(self):
        text = "12 (a ) (b) S 1 12 12 0 -1 4194560 1 2 3 4 70 30 5 6 20 0 1 0 1 2 3\n"
        self.assertAlmostEqual(machine.process_seconds(text) * machine.TICK, 100)
        self.assertGreater(machine.used_by(["self"]), -1)
        self.assertEqual(machine.used_by([2 ** 22 + 1]), 0, "a process that has gone")

    def test_share_of_the_window(self):
        samples = [(0.0, 0.0), (1.0, 0.0), (1.5, 0.4), (2.0, 0.9)]
        self.assertAlmostEqual(harness.share_of_window(samples, 1.0), 0.9)
        self.assertAlmostEqual(harness.share_of_window(samples, 0.5), 1.0)
        self.assertAlmostEqual(harness.share_of_window(samples, 9.0), 0.45)
        self.assertEqual(harness.share_of_window(samples[:1], 1.0), 0.0)


class Rounds(unittest.TestCase):
    """The harness with a measure() of ours."""

    def setUp(self):
        options = mock.Mock(rounds=3, seconds=1.0, concurrency=[32], bin="nowhere")
        self.interruption = mock.Mock(noted=False, check=lambda: None)
        self.harness = harness.Harness(options, self.interruption)
        self.chosen = clients.CLIENTS[:3]
        self.server = mock.Mock(title="fixed answers")
        self.server.name = "canned"
        self.asked = []

    def cell(self, answer):
        def measure(client, _server, _concurrency):
            self.asked.append(client.name)
            run = made_up(client.name, 0, 10, **answer(client.name))
            return {name: run[name] for name in ("figures", "client_cpu", "server_cpu",
                                                 "other_load")}
        self.harness.measure = measure
        self.harness.cell(self.chosen, self.server, 32, harness.Progress(9, False))

    def test_in_turns(self):
        self.cell(lambda name: {})
        self.assertEqual(self.asked, ["codynamo", "floor", "wrk", "floor", "wrk", "codynamo",
                                      "wrk", "codynamo", "floor"])
        self.assertTrue(all(run["counted"] for run in self.harness.runs))

    def test_disturbed_once_repeated_once(self):
        loads = {"codynamo": iter([0.5, 0.01, 0.02, 0.03]), "floor": iter([0.4, 0.3] * 3)}
        self.cell(lambda name: {"other_load": next(loads[name])} if name in loads else {})
        ours, floor, wrk = figures.results(self.harness.runs, LIMIT)
        self.assertEqual((ours["rounds"], ours["noisy_rounds"]), (3, 0))
        self.assertEqual((floor["rounds"], floor["noisy_rounds"]), (3, 3))
        self.assertEqual(floor["other_load"]["max"], 0.3, "the noisier attempt was counted")
        self.assertEqual(wrk["noisy_rounds"], 0)
        self.assertEqual(len(self.asked), 3 + 1 + 6 + 3)

    def test_who_fails_is_not_asked_again(self):
        def answer(name):
            if name == "floor":
                raise harness.Failed("connection refused")
            return {}
        self.cell(answer)
        self.assertEqual(self.asked.count("floor"), 1)
        self.assertEqual([each["reason"] for each in self.harness.failed], ["connection refused"])
        self.assertEqual({run["client"] for run in self.harness.runs}, {"codynamo", "wrk"})

    def test_interrupted(self):
        def answer(_name):
            if len(self.asked) == 5:
                raise harness.Interrupted
            return {}
        with self.assertRaises(harness.Interrupted):
            self.cell(answer)
        results = figures.results(self.harness.runs, LIMIT)
        self.assertEqual({each["client"]: each["rounds"] for each in results},
                         {"codynamo": 1, "floor": 2, "wrk": 1})


class Skipping(unittest.TestCase):
    def test_reasons(self):
        by_name = {client.name: client for client in clients.CLIENTS}
        with tempfile.TemporaryDirectory() as folder:
            with mock.patch.object(clients, "INSTALLED", Path(folder)):
                self.assertIn("there is no", clients.skip_reason(by_name["floor"], folder))
                self.assertIn("not installed", clients.skip_reason(by_name["boto3"], folder))
                place = Path(folder, "aws-sdk-rust")
                place.mkdir()
                (place / "why-not").write_text("there is no cargo\n")
                self.assertEqual(clients.skip_reason(by_name["aws-sdk-rust"], folder),
                                 "there is no cargo")
                (place / "why-not").unlink()
                (place / "installed").touch()
                (place / "driver").touch(mode=0o755)
                self.assertIsNone(clients.skip_reason(by_name["aws-sdk-rust"], folder))
            with mock.patch("shutil.which", return_value=None):
                self.assertIn("wrk", clients.skip_reason(by_name["wrk"], folder))

    def test_servers_by_name(self):
        self.assertEqual([servers.named(name).name for name in servers.NAMES], servers.NAMES)
        self.assertEqual(servers.named("http://localhost:8000/").url, "http://localhost:8000")
        for wrong in ("both", "Dynoxide", "", "http://", "http://a/b", "localhost:8000"):
            with self.assertRaisesRegex(argparse.ArgumentTypeError, re.escape(f"'{wrong}'")):
                servers.named(wrong)

    def test_a_server_that_cannot_be_had(self):
        server = mock.Mock(title="fixed answers")
        server.start.side_effect = servers.Unavailable("no nginx")
        server.name = "canned"
        options = mock.Mock(rounds=1, seconds=1.0, concurrency=[1])
        one = harness.Harness(options, mock.Mock(noted=False))
        self.assertEqual(one.everything(clients.CLIENTS[:1], [server], harness.Progress(1, False)),
                         {"canned": "no nginx"})

    def test_environment(self):
        with mock.patch.dict("os.environ", {"AWS_PROFILE": "prod", "HTTP_PROXY": "somewhere"}):
            found = clients.environment()
        self.assertNotIn("AWS_PROFILE", found)
        self.assertNotIn("HTTP_PROXY", found)
        self.assertEqual(found["AWS_ACCESS_KEY_ID"], "bench")


if __name__ == "__main__":
    unittest.main()
