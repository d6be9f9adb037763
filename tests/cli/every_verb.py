#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""What holds for every verb of both programs: --json, Ctrl-C, usage errors, progress.

    every_verb.py CODYNAMO CODYNAMO-BENCH

The verbs are taken from --help: one that is not in the table below fails the test.
"""
import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TOOL, BENCH = sys.argv[1:3]
del sys.argv[1:3]
# program.py wants words of its own.
ARGV, sys.argv = sys.argv, [sys.argv[0], TOOL, "every verb", ""]
from fake_server import FakeServer, response  # noqa: E402
from program import environment, write_down  # noqa: E402
sys.argv = ARGV

USAGE, FAILURE, INTERRUPTED = 2, 3, 130
# Becomes Google Benchmark, which has options of its own; makes files of files in a moment.
OTHERS_OPTIONS = {"micro", "report"}
NO_FIGURES = "gate-loop"


def soak_log(folder):
    """A log with a run that wrote nothing."""
    import zlib
    words = f"R 0123456789abcdef 1 1000000 64 cache codynamo-soak/"
    crc = f"{zlib.crc32(words.encode()):08x}"
    key = "A 0123456789abcdef 0 1"
    path = Path(folder, "verify.log")
    path.write_text(f"{words} {crc}\n{key} {zlib.crc32(key.encode()):08x}\n", encoding="ascii")
    return path


def table_of(url, folder):
    """(program, verb): its arguments, with which it does not end by itself for a while."""
    trace = Path(folder, "trace.u32")
    if not trace.exists():
        trace.write_bytes(os.urandom(4 * 30_000_000))
    place = ["--table", "cache", "--region", "us-east-1", "--endpoint", url]
    server = ["--server", url]
    return {
        (TOOL, "get"): [*place, "get", "k"], (TOOL, "set"): [*place, "set", "k", "1"],
        (TOOL, "rm"): [*place, "rm", "a", "b"], (TOOL, "clear"): [*place, "clear"],
        (TOOL, "clear-expired"): [*place, "clear-expired"],
        (TOOL, "table create"): [*place, "table", "create"],
        (TOOL, "table describe"): [*place, "table", "describe"],
        (TOOL, "table delete"): [*place, "table", "delete"],
        (TOOL, "sign"): ["--region", "us-east-1", "sign"],
        (TOOL, "endpoint"): ["--region", "us-east-1", "endpoint"],
        (TOOL, "credentials"): ["credentials"],
        (BENCH, "wire"): ["wire", *server], (BENCH, "rate"): ["rate", "--rate", "9", *server],
        (BENCH, "ycsb"): ["ycsb", *server],
        (BENCH, "batching"): ["batching", *server, "--in-flight", "2", "--seconds", "60"],
        (BENCH, "soak"): ["soak", *server, "--table", "cache", "--ack-log", f"{folder}/ack.log"],
        (BENCH, "soak --verify"): ["soak", *server, "--table", "cache", "--verify",
                                   str(soak_log(folder))],
        (BENCH, "inflight"): ["inflight", "--gets", "3000000"],
        (BENCH, "scale"): ["scale", "--seconds", "60"],
        (BENCH, "memory"): ["memory", "--seconds", "60", "--entries", "1000"],
        (BENCH, "hitratio"): ["hitratio", "--trace", str(trace), "--capacity", "1000000"],
        (BENCH, "compile"): ["compile", "--rounds", "1000"],
        (BENCH, "peers"): ["peers", "--only", "codynamo", *server, "--bin",
                           str(Path(BENCH).parent), "--seconds", "60"],
        (BENCH, "gate"): ["gate", "--bin", BENCH], (BENCH, "micro"): ["micro"],
        (BENCH, "report"): ["report", "--results", folder],
    }


def verbs_in_help(program, *verb):
    done = subprocess.run([program, *verb, "--help"], capture_output=True, text=True, check=True)
    return re.findall(r"^  ([a-z][a-z-]*) ", done.stdout.partition("Subcommands:\n")[2], re.M)


class EveryVerb(unittest.TestCase):
    def setUp(self):
        self.folder = self.enter(tempfile.TemporaryDirectory())
        self.server = self.enter(FakeServer())
        self.table = table_of(self.server.url, self.folder)
        # Credentials from an instance that does not answer, for the verbs that look for them.
        self.env = environment(AWS_EC2_METADATA_SERVICE_ENDPOINT=self.server.url,
                               AWS_EC2_METADATA_DISABLED="", AWS_METADATA_SERVICE_TIMEOUT="60")

    def enter(self, context):
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def env_of(self, verb):
        if verb not in ("endpoint", "credentials"):
            return self.env
        return {**self.env, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}

    def run_verb(self, program, arguments, verb=""):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, env=self.env_of(verb), check=False)
        write_down(done.stdout, done.stderr)
        return done

    def test_the_table_has_every_verb(self):
        named = {(program, verb.partition(" --")[0]) for program, verb in self.table}
        there = {(BENCH, verb) for verb in verbs_in_help(BENCH)}
        for verb in verbs_in_help(TOOL):
            inner = verbs_in_help(TOOL, verb)
            there |= {(TOOL, f"{verb} {each}") for each in inner} or {(TOOL, verb)}
        self.assertEqual(named, there)

    def test_version_and_help(self):
        for program, name in ((TOOL, "codynamo"), (BENCH, "codynamo-bench")):
            done = self.run_verb(program, ["--version"])
            self.assertEqual((done.returncode, done.stdout), (0, name + " 0.1.0\n"))
            done = self.run_verb(program, ["foo"])
            self.assertEqual(done.returncode, USAGE)
            verbs = ", ".join(verbs_in_help(program))
            self.assertEqual(done.stderr, f"{name}: unknown verb 'foo'; verbs are {verbs}; see "
                                          f"{name} --help\n")
        for program, verb in self.table:
            if verb == "micro" and not Path(BENCH).with_name("codynamo-micro").exists():
                continue
            words = verb.partition(" --")[0].split()
            self.assertEqual(self.run_verb(program, [*words, "--help"]).returncode, 0, verb)

    def test_json_is_opened_before_any_work(self):
        for (program, verb), arguments in self.table.items():
            if verb in OTHERS_OPTIONS:
                continue
            file = f"{self.folder}/none/out.json"
            done = self.run_verb(program, [*arguments, "--json", file], verb)
            self.assertEqual(done.returncode, USAGE, (verb, done.stderr))
            self.assertIn(file, done.stderr, verb)
            self.assertEqual(done.stdout, "", verb)
            self.assertFalse(Path(self.folder, "none").exists())
        self.assertEqual(self.server.connections, 0)

    def test_an_option_that_is_no_number_is_refused_before_any_work(self):
        for (program, verb), arguments in self.table.items():
            if verb == "micro":
                continue
            text = self.run_verb(program, [*verb.partition(" --")[0].split(), "--help"]).stdout
            for option in re.findall(r"(--[a-z-]+) (?:UINT|INT|FLOAT)", text):
                for value in ("x", "-1", "", "1e999"):
                    done = self.run_verb(program, [*arguments, f"{option}={value}"], verb)
                    where = (verb, option, value, done.stderr)
                    self.assertEqual(done.returncode, USAGE, where)
                    self.assertIn(option, done.stderr, where)
                    if value:
                        self.assertIn(value, done.stderr, where)
        self.assertEqual(self.server.connections, 0)

    def test_values_out_of_bounds_are_refused_before_any_work(self):
        ended = subprocess.Popen(["true"])
        ended.wait()
        with open("/proc/sys/kernel/pid_max", encoding="ascii") as most:
            nobody = most.read().strip()
        for verb, option, value in (
                ("batching", "--in-flight", "0"), ("batching", "--in-flight", "1,0"),
                ("batching", "--client-core", "99"), ("batching", "--server-core", "4096"),
                ("batching", "--rounds", "0"), ("wire", "--server-pid", str(ended.pid)),
                ("rate", "--server-pid", nobody), ("ycsb", "--server-pid", "0"),
                ("wire", "--ops", "0"), ("scale", "--threads", "0"), ("memory", "--rounds", "0"),
                ("soak", "--series", f"{self.folder}/none/series"),
                ("soak --verify", "--verify", "/tmp"), ("hitratio", "--trace", "/tmp"),
                ("inflight", "--batching", "perhaps")):
            arguments = [word for word in self.table[BENCH, verb]
                         if not (option in ("--verify", "--trace") and word.endswith(
                             ("verify.log", "trace.u32"))) and word != option]
            done = self.run_verb(BENCH, [*arguments, option, value])
            self.assertEqual(done.returncode, USAGE, (verb, option, done.stderr))
            self.assertIn(option, done.stderr)
            self.assertIn(value.rpartition(",")[2], done.stderr)
        self.assertEqual(self.server.connections, 0)

    def interrupt(self, program, verb, arguments, file):
        self.server.asked.clear()
        # A group of its own, all of which gets the signal, as from a terminal; stdin never ends.
        process = subprocess.Popen([program, *arguments, *file], text=True, env=self.env_of(verb),
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)
        speaks = self.server.url in arguments or verb in ("endpoint", "credentials")
        if not (speaks and self.server.asked.wait(10)):
            time.sleep(0.7)
        time.sleep(0.2)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGINT)
        try:
            out, err = process.communicate(timeout=30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        write_down(out, err)
        return process.returncode, out, err

    def test_an_interrupted_verb_prints_what_it_has(self):
        for (program, verb), arguments in self.table.items():
            if verb == "report" or (verb == "micro" and
                                    not Path(BENCH).with_name("codynamo-micro").exists()):
                continue
            with self.subTest(verb=verb):
                file = Path(self.folder, "out.json")
                options = [] if verb in OTHERS_OPTIONS else ["--json", str(file)]
                code, out, err = self.interrupt(program, verb, arguments, options)
                self.assertEqual(code, INTERRUPTED, (verb, out, err))
                if options:
                    found = json.loads(file.read_text(encoding="utf-8"))
                    self.assertTrue(found.get("interrupted") or found.get("complete") is False,
                                    (verb, found))

    def test_an_interrupted_write_is_of_unknown_outcome(self):
        for verb, unknown in (("get", False), ("set", True), ("rm", True), ("table create", False),
                              ("table delete", True)):
            code, out, err = self.interrupt(TOOL, verb, self.table[TOOL, verb], ["--json"])
            self.assertEqual(code, INTERRUPTED, (verb, err))
            if verb != "table create":
                self.assertEqual(json.loads(out)["outcome_unknown"], unknown, verb)
                self.assertEqual("outcome unknown" in err, unknown, verb)
        self.assertEqual(json.loads(self.interrupt(TOOL, "rm", self.table[TOOL, "rm"],
                                                   ["--json"])[1])["not_tried"], ["b"])


def pages(count):
    """A table of so many pages of one item; then silence."""
    def answer(operation, body):
        if operation == "Scan":
            number = int(body.get("ExclusiveStartKey", {}).get("key", {}).get("S", "0"))
            if number == count or body.get("Segment", 0) != 0:
                return None if count else response({"Items": [], "Count": 0, "ScannedCount": 0})
            key = {"key": {"S": str(number + 1)}}
            return response({"Items": [key], "Count": 1, "ScannedCount": 1,
                             "LastEvaluatedKey": key})
        return response({"UnprocessedItems": {}})
    return answer


class Progress(unittest.TestCase):
    def test_an_interrupted_clear_says_how_far_it_came(self):
        with FakeServer(pages(3)) as server:
            process = subprocess.Popen(
                [TOOL, "--table", "cache", "--region", "us-east-1", "--endpoint", server.url,
                 "clear", "--segments", "1", "--json"], env=environment(), text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            time.sleep(1.5)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
            self.assertEqual(process.returncode, INTERRUPTED, err)
            found = json.loads(out)
            self.assertTrue(found["interrupted"])
            self.assertGreaterEqual(found["deleted"], 2)
            self.assertIn(f"{found['deleted']} deleted", err)

    def lines_on_a_terminal(self, program, arguments, columns):
        """What the program writes to a terminal of that width, cut where the line begins anew."""
        parent, child = pty.openpty()
        process = subprocess.Popen([program, *arguments], stderr=child, stdout=subprocess.DEVNULL,
                                   env=environment(COLUMNS=str(columns)))
        os.close(child)
        text = b""
        ended = time.monotonic() + 3
        with contextlib.suppress(OSError):
            while time.monotonic() < ended:
                text += os.read(parent, 4096)
                if process.poll() is not None:
                    break
        process.kill()
        process.wait()
        os.close(parent)
        return [re.sub(rb"\x1b\[K", b"", line) for line in re.split(rb"[\r\n]+", text)]

    def test_progress_fits_the_terminal(self):
        with FakeServer(pages(10 ** 9)) as server:
            for program, arguments in (
                    (TOOL, ["--table", "cache", "--region", "us-east-1", "--endpoint", server.url,
                            "clear", "--segments", "1"]),
                    (BENCH, ["memory", "--entries", "1000", "--seconds", "0.1"]),
                    (BENCH, ["scale", "--seconds", "0.1"])):
                for columns in (20, 200):
                    lines = self.lines_on_a_terminal(program, arguments, columns)
                    longest = max(lines, key=len)
                    self.assertGreater(len(longest), 0, arguments)
                    self.assertLess(len(longest), columns, (arguments, longest))


if __name__ == "__main__":
    unittest.main()
