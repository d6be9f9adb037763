#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The report from small made-up results: what is read, what is said of the rest, and the page."""
import contextlib
import html.parser
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "bench" / "report" / "run.py"
sys.path.insert(0, str(SCRIPT.parent))
import page  # noqa: E402
import results  # noqa: E402
import sections  # noqa: E402
import targets  # noqa: E402

MACHINE = {"cpu": "some <cpu>", "cores": 2, "memory_bytes": 8 << 30, "system": "Debian",
           "kernel": "6.1"}
LATENCY = {"p50": 300.0, "p90": 350.0, "p99": 410.5, "p999": 950.0, "max": 4000.0}


def spread(value):
    return {"median": value, "min": value * 0.9, "max": value * 1.5}


def floor(concurrency, ratio):
    one = {key: spread(10.0) for key in ("cpu_us_per_op", "ops_per_s", "p50", "p99")}
    mode = {"codynamo": one, "floor": one, "cpu_ratio": ratio}
    return {"kind": "floor", "complete": True, "machine": MACHINE, "concurrency": concurrency,
            "plain": mode, "tls": mode}


def gate(instructions):
    cost = {"instructions_per_get": instructions, "allocations_per_get": 1.0,
            "functions": {"a::b<…>": instructions / 2, "c": instructions / 4}}
    return {"kind": "gate", "complete": True, "machine": MACHINE, "passed": True,
            "versions": {"compiler": "g++ 12"}, "scenarios": {"plain, 32 in flight": cost}}


def peer(client, cpu, noisy=0):
    return {"server": "canned", "concurrency": 32, "client": client, "noisy_rounds": noisy,
            "cpu_us_per_op": spread(cpu), "ratio_to_codynamo": spread(cpu / 10),
            "ops_per_s": spread(1e6 / cpu), "client_cpu": spread(0.9), "server_cpu": spread(0.3),
            "other_load": spread(0.02), "latency_us": {name: spread(value * cpu / 100)
                                                       for name, value in LATENCY.items()}}


def peers(**changes):
    return {"kind": "peers", "complete": True, "machine": MACHINE, "skipped": {"wrk": "no <wrk>"},
            "failed": [], "method": {"servers": {"canned": {
                "title": "fixed answers", "url": "http://localhost:1", "version": "nginx/1",
                               "package_version": None}}},
            "clients": {"boto3": {"version": "1.2 & more"}},
            "results": [peer("boto3", 1000.0, noisy=1), peer("codynamo", 10.0)], **changes}


def batching(times):
    return {"kind": "batching", "complete": True, "server_delay_us": 0, "results": [
        {"in_flight": count, "batching": mode, "times_first": factor, "items_per_cpu_s": 1e5,
         "p50_us": 1.0, "p99_us": 2.0, "allocations_per_op": 2.0, "keys_per_batch": 8.0}
        for count in (8, 64) for mode, factor in (("off", 1.0), ("on", times))]}


def wire(**changes):
    return {"ops": 5, "errors": 0, "ops_per_s": 90_000.0, "cpu_us_per_op": 9.5,
            "latency_us": LATENCY, **changes}


def loaded(**documents):
    made = results.Results()
    for name, document in documents.items():
        made.add(f"{name}.json", document if isinstance(document, str) else json.dumps(document))
    return made


class Well(html.parser.HTMLParser):
    """Whether all that was opened is closed, in order; what text there is."""
    VOID = {"meta", "br", "link"}

    def __init__(self):
        super().__init__()
        self.open, self.text, self.outside, self.ids = [], [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href") and not value.startswith("#"):
                self.outside.append(value)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.open[-5:])

    def handle_data(self, data):
        self.text.append(data)


def both(made, draw=None):
    """HTML (parsed) and Markdown."""
    found = sections.sections(made)
    parsed = Well()
    text = page.html(made, found, "today", draw)
    parsed.feed(text)
    assert not parsed.open, parsed.open
    assert not parsed.outside, "the page needs what is elsewhere"
    return parsed, text, page.markdown(made, found, "today")


class Reading(unittest.TestCase):
    def test_kinds(self):
        made = loaded(a=floor(32, 1.2), b=wire(), c={"kind": "horoscope"}, d="{broken", e=[1])
        self.assertEqual([len(made.all(kind)) for kind in ("floor", "wire", "gate")], [1, 1, 0])
        notes = "\n".join(made.notes)
        for words in ('c.json was left out: its kind is "horoscope"', "d.json is not JSON",
                      "e.json was left out"):
            self.assertIn(words, notes)

    def test_missing_interrupted_and_noisy_are_said(self):
        made = loaded(wire=wire(complete=False, noisy=True, other_load=0.25))
        words = "\n".join(page.note_words(made))
        for expected in ("wire.json was interrupted", "others used 25% of a core",
                         "Not measured: Beside other clients (codynamo-bench peers)"):
            self.assertIn(expected, words)
        self.assertNotIn("Closed loop", words)

    def test_two_machines(self):
        made = loaded(a=floor(1, 1.1), b={**gate(1), "machine": {**MACHINE, "cpu": "another"}})
        self.assertIn("more than one machine", page.note_words(made)[0])

    def test_another_form_hinders_nothing_else(self):
        made = loaded(peers={"kind": "peers"}, gate=gate(40_000.0))
        self.assertEqual([each.kind for each in sections.sections(made)], ["gate"])
        self.assertIn("peers: its figures could not be read", "\n".join(made.notes))


class Targets(unittest.TestCase):
    def test_verdicts(self):
        made = loaded(a=floor(32, 1.25), b=floor(1, 1.3), c=gate(44_000.4), d=batching(5.5),
                      e={"kind": "memory", "times_bare": 2.5},
                      f={"kind": "scale", "results": [
                          {"what": "wire", "threads": 1, "scaling_by_wall": 1.0},
                          {"what": "wire", "threads": 2, "scaling_by_wall": 1.9,
                           "scaling_by_cpu": 1.7}]},
                      g={"kind": "compile", "seconds": {"codynamo": spread(2.4),
                                                        "codynamo_program": spread(3.0)}})
        found = {what: (measured, word) for what, _, measured, word in targets.rows(made)}
        for what, expected in [
                ("CPU per get, 32 in flight, times the floor", ("1.25 ×", "met")),
                ("CPU per get, 1 in flight, times the floor", ("1.30 ×", "missed")),
                ("CPU per get, 256 in flight, times the floor", ("not measured", "")),
                ("CPU per get over TLS, 32 in flight, times the floor", ("1.25 ×", "missed")),
                ("Instructions per get", ("44,000", "met")),
                ("Items per CPU second through batching, times single gets", ("5.50 ×", "met")),
                ("A hit in memory, times a bare mutex and table", ("2.50 ×", "missed")),
                ("Two executors in two threads, times one", ("1.90 ×", "met")),
                ("The same by CPU, as if each had a core", ("1.70 ×", "missed")),
                ("Seconds to compile a user's translation unit", ("2.40", "met")),
                ("The same of a program that also runs it", ("3.00", "missed")),
                ("Bytes of each of 100,000 gets in flight", ("not measured", ""))]:
            self.assertEqual(found[what], expected, what)


class Page(unittest.TestCase):
    def test_tables(self):
        parsed, text, markdown = both(loaded(
            a=peers(), b=gate(40_000.0), c=floor(32, 1.2), d=batching(5.0), e=wire(),
            f={"kind": "inflight", "complete": True, "results": [
                {"batching": "off", "cancel_ms": 61.5, "fair": True}]},
            g={"context": {}, "benchmarks": [{"name": "sign", "cpu_time": 693.2}]},
            h={"kind": "ycsb", "ops_per_s": 77.0, "cpu_us_per_op": 5.0, "noisy": True,
               "other_load": 0.4, "units_per_op": {"read": 0.5, "write": 1.25}},
            i={"kind": "compile", "compiler": "g++ 12.2", "flags": "-O2",
               "seconds": {"codynamo": spread(2.0)}}))
        words = " ".join(parsed.text)
        for expected in ("fixed answers nginx/1, 32 in flight", "boto3 *", "sign 693.2 ns",
                         "off 61.50 yes", "h * 77.00", "1.25", "2.00 (1.80–3.00)", "1,000 (900.0–1,500)",
                         "some <cpu>, 2 cores, 8.0 GiB", "no <wrk>", "boto3 1.2 & more"):
            self.assertIn(expected, words.replace("\n", " ") + text, expected)
        self.assertLess(words.index("codynamo"), words.index("boto3 *"), "not sorted by cost")
        self.assertIn("| boto3 \\* | 1,000 (900.0–1,500) | 100.0 × (", markdown)
        rows = [line for line in markdown.splitlines() if line.startswith("|")]
        self.assertGreater(len(rows), 30)

    def test_escaping(self):
        nasty = '<script>alert("1")</script>|*'
        made = loaded(a=peers(skipped={nasty: nasty}, results=[peer(nasty, 5.0)]),
                      b={"kind": nasty}, c={**wire(), "kind": "wire"})
        _, text, markdown = both(made)
        self.assertNotIn("<script", text)
        self.assertIn("&lt;script&gt;", text)
        line = next(line for line in markdown.splitlines() if line.startswith("| &lt;script"))
        self.assertIn("\\|\\*", line)
        self.assertNotIn("<script", line)

    def test_nothing_at_all(self):
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, SCRIPT, "--results", folder], text=True,
                                  stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 3)
            self.assertIn("no results", done.stderr)
            done = subprocess.run([sys.executable, SCRIPT, "--results", folder + "/not"],
                                  stderr=subprocess.DEVNULL)
            self.assertEqual(done.returncode, 2)


def has_matplotlib():
    """In this Python, or in the venv that the report looks into."""
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    venv = Path(cache_home) / "codynamo" / "venv" / "bin" / "python"
    return any(subprocess.run([python, "-c", "import matplotlib"],
                              stderr=subprocess.DEVNULL).returncode == 0
               for python in (sys.executable, venv) if Path(python).exists())


@unittest.skipUnless(has_matplotlib(), "no matplotlib: run tools/install-dependencies.sh bench")
class Plots(unittest.TestCase):
    def test_the_command(self):
        nasty = "<b>&amp;"
        with tempfile.TemporaryDirectory() as folder:
            for name, document in (("p", peers(results=[peer(nasty, 5.0), peer("codynamo", 2.0)])),
                                   ("g", gate(40_000.0)), ("b", batching(5.0)), ("w", wire())):
                Path(folder, f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
            out = Path(folder, "to", "page.html")
            done = subprocess.run([sys.executable, SCRIPT, "--results", folder,
                                   "--out", out], text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, 0, done.stderr)
            text = out.read_text(encoding="utf-8")
            self.assertTrue(out.with_name("report.md").exists())
        parsed = Well()
        with contextlib.redirect_stderr(io.StringIO()):
            parsed.feed(text)
        self.assertEqual(parsed.open, [])
        self.assertEqual(parsed.outside, [])
        self.assertEqual(text.count("<svg"), 5)
        self.assertEqual(len(parsed.ids), len(set(parsed.ids)), "plots share names")
        self.assertNotIn("<b>&amp;", text)
        self.assertNotIn("#0a0b0", text, "a colour that knows no dark")
        self.assertIn("var(--ink)", text)
        self.assertIn("a::b&lt;…&gt;", text)


if __name__ == "__main__":
    unittest.main()
