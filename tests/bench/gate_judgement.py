#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The gate's own logic: reading callgrind's files, judging by tables, and who is named; then the
command with a doctored baseline and a counter of ours."""
import io
import json
import sys
import tempfile
import unittest
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "gate"))
import callgrind  # noqa: E402
import compare  # noqa: E402
import run  # noqa: E402

CALLGRIND = """\
# callgrind format
version: 1
positions: line
events: Ir
summary: 1136

ob=(1) /somewhere/bench
fl=(1) ???
fn=(1) main
0 100
+3 5
cfn=(2) codynamo::get(int)
calls=7 0
* 900
cob=(2) /lib/libcrypto.so.3
cfn=(3) 0x00000000001234
calls=2 0
-1 30

fn=(2)
0 600
cfn=(4) operator new(unsigned long)
calls=14 0
0 300

fn=(4)
1 70
cob=(3) /lib/libc.so.6
cfn=(5) malloc
calls=14 0
2 250

ob=(2)
fn=(3)
0 21
cob=(3)
cfn=(5)
calls=3 0
0 9

ob=(3)
fn=(5)
0 330
fi=(2) ./malloc/arena.c
+1 10
"""


def cost(functions, allocators=None):
    return {"instructions_per_get": sum(functions.values()), "functions": functions,
            "allocations_per_get": sum((allocators or {}).values()), "allocators": allocators or {}}


def judged(before, after):
    return {each["figure"]: each for each in compare.compared({"get": before}, {"get": after})}


class Reading(unittest.TestCase):
    def setUp(self):
        self.profile = callgrind.Reader().read(iter(CALLGRIND.splitlines(keepends=True)))

    def test_own_instructions(self):
        self.assertEqual(self.profile.own, {"main": 105, "codynamo::get": 600,
                                            "operator new": 70, "malloc": 340,
                                            "(no symbol) in libcrypto.so.3": 21})
        self.assertEqual(self.profile.instructions, 1136, "not what callgrind sums up")

    def test_allocations_are_counted_once_and_by_who_wants_them(self):
        self.assertEqual(self.profile.allocations, {"codynamo::get": 14,
                                                    "(no symbol) in libcrypto.so.3": 3})

    def test_difference(self):
        twice = callgrind.Profile()
        twice.own.update({"main": 105, "codynamo::get": 1600})
        found = compare.per_get(twice - self.profile, 10)
        self.assertEqual(found["functions"]["codynamo::get"], 100)
        self.assertNotIn("main", found["functions"], "the start was counted")

    def test_names(self):
        for given, expected in [
                ("std::vector<int, std::allocator<int> >::push_back(int const&)",
                 "std::vector<…>::push_back"),
                ("char const* json::parser<a::(anonymous namespace)::b>::parse<true>(char const*)",
                 "json::parser<…>::parse<…>"),
                ("a::(anonymous namespace)::f(int) [clone .constprop.0]",
                 "a::(anonymous namespace)::f"),
                ("n::core::call(n::core::call(int)::_ZN1n4core4callEi.Frame*) [clone .actor]",
                 "n::core::call (coroutine)"),
                ("c<int>::operator()(int) const", "c<…>::operator()"),
                ("bool operator< <int>(c<int> const&, int)", "operator<"),
                ("operator new(unsigned long, std::align_val_t)", "operator new"),
                ("a::f[abi:cxx11](int)'2", "a::f"), ("malloc@@GLIBC_2.2.5", "malloc"),
                ("f(int)::{lambda(int)#2}::operator()(int) const", "f::{lambda#2}::operator()")]:
            self.assertEqual(callgrind.short_name(given, "lib"), expected)


class Judging(unittest.TestCase):
    BEFORE = {"sign": 500, "decode": 300, "send": 200}

    def test_verdicts(self):
        for before, after, slack, expected in [
                (1000, 1050, 0, "same"), (1000, 1051, 0, "grew"), (1000, 950, 0, "same"),
                (1000, 949, 0, "shrank"), (0, 0, 0.02, "same"), (0, 1, 0.02, "grew"),
                (0, 0.01, 0.02, "same"), (2, 2.1, 0.02, "same"), (2, 3, 0.02, "grew")]:
            self.assertEqual(compare.verdict(before, after, slack), expected, (before, after))

    def found(self, after):
        each = judged(cost(self.BEFORE), cost(after))["instructions_per_get"]
        return each["verdict"], [(one["name"], one["word"]) for one in each["functions"]]

    def test_who_is_named(self):
        for changed, expected in [
                ({}, ("same", [])),
                ({"decode": 330}, ("same", [])),
                ({"decode": 400}, ("grew", [("decode", "")])),
                ({"decode": 400, "send": 203}, ("grew", [("decode", "")])),
                ({"decode": 400, "send": 260}, ("grew", [("decode", ""), ("send", "")])),
                ({"log": 90}, ("grew", [("log", compare.NEW)])),
                ({"sign": 420}, ("shrank", [("sign", "")])),
                ({"send": 0}, ("shrank", [("send", "")]))]:
            self.assertEqual(self.found({**self.BEFORE, **changed}), expected, changed)

    def test_inlined_away(self):
        self.assertEqual(self.found({"sign": 810, "send": 200}), ("same", []))
        self.assertEqual(self.found({"sign": 500, "send": 200}),
                         ("shrank", [("decode", compare.GONE)]))
        self.assertEqual(self.found({"sign": 900, "send": 200}), ("grew", [("sign", "")]))

    def test_allocations_name_who_allocates(self):
        each = judged(cost(self.BEFORE, {"decode": 1}),
                      cost(self.BEFORE, {"decode": 1, "sign": 1}))["allocations_per_get"]
        self.assertEqual((each["verdict"], [one["name"] for one in each["functions"]]),
                         ("grew", ["sign"]))

    def test_a_scenario_without_a_baseline_fails(self):
        entries = compare.compared({}, {"get": cost(self.BEFORE)})
        self.assertEqual(len(compare.failed(entries)), 2)
        self.assertIn("no baseline for get", compare.text(entries, []))


class Command(unittest.TestCase):
    """run.py with a count of ours."""

    def go(self, baseline, *words, now="12", measured=None,
           interrupted=False):
        measured = measured or {"get": cost({"sign": 1000, "decode": 400}, {"decode": 1})}
        out = io.StringIO()
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder, "baseline.json")
            place.write_text(json.dumps(baseline), encoding="utf-8")
            figures = Path(folder, "gate.json")
            with mock.patch.object(run, "measure", lambda *_: (measured, interrupted)), \
                    mock.patch.object(run, "versions", lambda *_: {"compiler": now}), \
                    mock.patch.object(run, "missing", lambda *_: None), \
                    mock.patch("sys.argv", ["gate", "--bin", sys.executable, "--baseline", str(place),
                                            "--json", str(figures), *words]), \
                    redirect_stdout(out), redirect_stderr(out):
                code = run.main()
            return (code, out.getvalue(), json.loads(figures.read_text(encoding="utf-8")),
                    json.loads(place.read_text(encoding="utf-8")))

    @staticmethod
    def baseline(**changes):
        return {"versions": {"compiler": "12"},
                "scenarios": {"get": cost({"sign": 1000, "decode": 400, **changes}, {"decode": 1})}}

    def test_the_same(self):
        code, said, made, _ = self.go(self.baseline())
        self.assertEqual((code, made["kind"], made["passed"]), (0, "gate", True))
        self.assertIn("Passed: all within 5%", said)
        self.assertNotIn("versions", said)

    def test_a_doctored_baseline_fails_and_names_the_function(self):
        code, said, made, _ = self.go(self.baseline(sign=700))
        self.assertEqual((code, made["passed"]), (1, False))
        self.assertIn("get grew by more than 5%, most of all sign.", said)
        self.assertRegex(said, r"700 -> +1,000  sign")

    def test_better_passes_and_asks_for_a_new_baseline(self):
        code, said, _, _ = self.go(self.baseline(sign=2000))
        self.assertEqual(code, 0)
        self.assertIn("gate --update makes that the new baseline", said)

    def test_interrupted_it_says_what_it_has(self):
        code, said, made, kept = self.go(self.baseline(sign=2000), "--update", interrupted=True)
        self.assertEqual((code, made["complete"]), (130, False))
        self.assertIn("sign", said)
        self.assertEqual(kept["scenarios"]["get"]["functions"]["sign"], 2000)

    def test_other_versions_are_named(self):
        _, said, _, _ = self.go(self.baseline(), now="13")
        self.assertIn("compiler: the baseline's is 12, here it is 13", said)

    def test_update(self):
        code, _, _, kept = self.go(self.baseline(sign=1), "--update")
        self.assertEqual((code, kept["scenarios"]["get"]["functions"]["sign"]), (0, 1000))

    def test_what_is_missing_is_said(self):
        with mock.patch("shutil.which", return_value=None):
            self.assertIn("there is no valgrind", run.missing(mock.Mock()))


class Baseline(unittest.TestCase):
    def test_it_knows_every_scenario(self):
        kept = run.load(run.BASELINE)
        self.assertEqual(set(kept["scenarios"]), set(run.SCENARIOS))
        for name, each in kept["scenarios"].items():
            share = sum(each["functions"].values()) / each["instructions_per_get"]
            self.assertGreater(share, 0.95, name)


if __name__ == "__main__":
    unittest.main()
