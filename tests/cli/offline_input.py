# SPDX-License-Identifier: BSL-1.0
"""What cannot be read is never taken for nothing: exit code 2, and nothing is sent."""
import json
import os
import signal
import subprocess
import tempfile

from fake_server import FakeServer
from program import FAILURE, PROGRAM, USAGE, environment, expect, run, write_down

# As a shell has them: how stdin is opened for the program, and why it cannot be read.
UNREADABLE = (("<&-", "Bad file descriptor"), ("< /tmp", "Is a directory"),
              ("0> /dev/null", "Bad file descriptor"))


def shell(words, *arguments):
    done = subprocess.run(["bash", "-c", f'"$@" {words}', "bash", PROGRAM, *arguments],
                          capture_output=True, text=True, env=environment(), timeout=60,
                          check=False)
    write_down(done.stdout, done.stderr)
    return done


def offline_stdin_that_cannot_be_read():
    with FakeServer() as server:
        place = ["--table", "cache", "--region", "us-east-1", "--endpoint", server.url]
        for words, reason in UNREADABLE:
            for verb in (["set", "--text", "k", "-"], ["set", "--bytes", "k", "-"],
                         ["set", "k", "-"], ["sign"]):
                done = shell(words, *place, *verb)
                assert done.returncode == USAGE, (words, verb, done)
                assert "stdin: " + reason in done.stderr, (words, verb, done.stderr)
        assert server.connections == 0


def offline_a_wait_for_a_fifo_is_interrupted():
    with FakeServer() as server, tempfile.TemporaryDirectory() as folder:
        fifo = folder + "/fifo"
        os.mkfifo(fifo)
        place = ["--table", "cache", "--region", "us-east-1", "--endpoint", server.url]
        waiting = subprocess.Popen([PROGRAM, *place, "set", "k", "@" + fifo], env=environment(),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            waiting.wait(timeout=0.5)
            raise AssertionError("it did not wait for the FIFO's writer")
        except subprocess.TimeoutExpired:
            waiting.send_signal(signal.SIGINT)
        assert waiting.wait(timeout=10) == 130
        assert server.connections == 0


def offline_files_that_cannot_be_read():
    with FakeServer() as server, tempfile.TemporaryDirectory() as folder:
        place = ["--table", "cache", "--region", "us-east-1", "--endpoint", server.url]
        for name, reason in ((folder, "Is a directory"), (folder + "/none", "No such file"),
                             ("", "No such file"), ("/proc/self/mem", "Input/output error"),
                             ("/dev/zero", "it has more than 16777216 bytes")):
            code, _, err = run(*place, "set", "--text", "k", "@" + name)
            assert code == USAGE, (name, code)
            assert f"VALUE: cannot read '{name}': {reason}" in err, (name, err)
        assert server.connections == 0


def offline_keys_are_checked_before_anything_is_sent():
    with FakeServer() as server:
        place = ["--table", "cache", "--region", "us-east-1", "--endpoint", server.url]
        for bad in ("", "k" * 2049, b"\xff"):
            for verb in (["rm", "a", bad, "b"], ["get", bad], ["set", bad, "1"],
                         ["set", bad, "@/no/such"]):
                code, _, err = run(*place, *verb)
                assert code == USAGE and "key" in err, (verb, code, err)
        assert server.connections == 0


def offline_output_that_is_not_taken():
    """A closed stdout never becomes a file or socket that the program opens."""
    for words in (">&-", "> /dev/full"):
        for how in ([], ["--json"]):
            done = shell(words, "--region", "us-east-1", "endpoint", *how)
            assert done.returncode == FAILURE, (words, how, done)
            assert "stdout" in done.stderr, (words, how, done.stderr)


def offline_json_goes_to_a_file():
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "out.json")
        with open(file, "w", encoding="utf-8") as old:
            old.write("x" * 10_000)
        asked = ["--region", "eu-west-1", "endpoint", "--json"]
        plain = expect(0, *asked[:-1])
        assert expect(0, *asked, file) == plain
        with open(file, encoding="utf-8") as made:
            assert json.loads(made.read()) == json.loads(plain)
        for stdout in ([], ["-"]):
            assert expect(0, *asked, *stdout) == plain
        assert expect(0, "--json", *asked[:-1]) == plain  # a verb is no FILE
        code, out, _ = run("--region", "eu-west-1", "endpoint", "--fips", "--endpoint",
                           "https://example.com", "--json", file)
        assert code == USAGE
        with open(file, encoding="utf-8") as made:
            assert "FIPS" in json.loads(made.read())["error"]
