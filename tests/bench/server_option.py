#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""codynamo-bench --server: every engine, a URL, and that no server outlives the program.

    server_option.py FOLDER      with codynamo-bench; 77 without CODYNAMO_TEST_ENDPOINT
"""
import contextlib
import http.server
import json
import os
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENDPOINT = os.environ.get("CODYNAMO_TEST_ENDPOINT")
PROGRAM = Path(sys.argv.pop(1), "codynamo-bench")
MARK = "CODYNAMO_TEST_MARK"
# Stands for the Java that runs DynamoDB Local, and becomes dynoxide on the port it is given.
FAKE_JAVA = """#!/usr/bin/env bash
if [[ $1 == -version ]]; then
    echo 'openjdk version "21.0.1"' >&2
    exit
fi
while [[ $1 != -port ]]; do shift; done
exec -a "java -port $2 " '{dynoxide}' serve --host 127.0.0.1 --port "$2" --log quiet
"""


def of_scripts(name):
    """A variable of tools/common.sh."""
    return subprocess.run(["bash", "-c", f'source "$1"; printf %s "${name}"', "bash",
                           ROOT / "tools/common.sh"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def marked(mark):
    """Processes with it in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            pass
    return found


class Forwarder(http.server.BaseHTTPRequestHandler):
    """The server at ENDPOINT, with a header that is neither ASCII nor UTF-8."""
    protocol_version = "HTTP/1.1"

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or None
        headers = {name: value for name, value in self.headers.items()
                   if name.lower() not in ("host", "connection", "content-length")}
        request = urllib.request.Request(ENDPOINT + self.path, body, headers, method=self.command)
        try:
            answer = urllib.request.urlopen(request, timeout=10)
        except urllib.error.HTTPError as refusal:
            answer = refusal
        content = answer.read()
        self.send_response_only(answer.status)
        for name, value in (("Server", "caf\xe9 1.0"), ("Content-Length", str(len(content))),
                            ("Content-Type", answer.headers["Content-Type"])):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = forward

    def log_message(self, *_):
        pass


class Endless(socketserver.BaseRequestHandler):
    """Answers with one line that does not end, and counts its bytes."""
    sent = 0

    def handle(self):
        self.request.recv(1000)
        try:
            while True:
                type(self).sent += self.request.send(b"x" * 65536)
        except OSError:
            pass


@contextlib.contextmanager
def served(handler):
    """The URL of a server of the test's own."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class ServerOption(unittest.TestCase):
    def setUp(self):
        # All that a test starts carries its mark, so that nothing is left behind by a failure.
        self.mark = uuid.uuid4().hex
        self.environment = {**os.environ, MARK: self.mark}
        self.addCleanup(self.end_all)

    def end_all(self):
        for pid in marked(self.mark):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass

    def start(self, *words, **more):
        return subprocess.Popen([PROGRAM, *words], text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env={**self.environment, **more})

    def run_ycsb(self, server, **more):
        process = self.start("ycsb", "--server", server, "--records", "60", "--concurrency", "4",
                             "--seconds", "0.3", "--warmup", "0.1", "--json", "-", "--table",
                             "bench-" + self.mark, **more)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, err)
        found = json.loads(out)
        self.assertTrue(found["complete"])
        self.assertEqual(found["errors"], 0)
        self.assertGreater(found["ops"], 0)
        return found

    def check_spawned(self, engine, **more):
        found = self.run_ycsb(engine, **more)
        self.assertEqual(found["server"]["engine"], engine)
        self.assertIsNotNone(found["server"]["version"])
        self.assertEqual(found["server"]["package_version"] is None, engine == "dynamodb-local")
        self.assertGreater(found["server_cpu"], 0)
        self.assertFalse(answers(found["server"]["url"]), "the server outlives the run")
        self.assertEqual(marked(self.mark), [])

    def test_dynoxide(self):
        self.check_spawned("dynoxide")

    def test_moto(self):
        venv = Path(of_scripts("venv_dir"))
        if not (venv / f"moto[server]=={of_scripts('moto_version')}").exists():
            self.skipTest("moto is not installed; tools/install-dependencies.sh moto does it")
        self.check_spawned("moto")

    def test_dynamodb_local(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "home/DynamoDBLocal_lib").mkdir(parents=True)
            Path(folder, "home/DynamoDBLocal.jar").touch()
            java = Path(folder, "bin/java")
            java.parent.mkdir()
            java.write_text(FAKE_JAVA.format(dynoxide=of_scripts("dynoxide")), encoding="utf-8")
            java.chmod(0o755)
            self.check_spawned("dynamodb-local", DYNAMODB_LOCAL_HOME=f"{folder}/home",
                               PATH=f"{java.parent}:{os.environ['PATH']}")

    def test_dynamodb_local_without_its_folder(self):
        process = self.start("ycsb", "--server", "dynamodb-local", DYNAMODB_LOCAL_HOME="")
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 3, err)
        for words in ("DYNAMODB_LOCAL_HOME", "dynamodb-local did not start"):
            self.assertIn(words, err)

    def test_url(self):
        found = self.run_ycsb(ENDPOINT)
        self.assertEqual(found["server"]["url"], ENDPOINT)
        self.assertIsNone(found["server_cpu"])
        self.assertTrue(answers(ENDPOINT))

    def test_a_server_with_an_odd_name_is_described_in_utf_8(self):
        with served(Forwarder) as url:
            self.assertEqual(self.run_ycsb(url)["server"]["version"], "caf? 1.0")

    def test_a_server_that_is_none_is_not_read_without_end(self):
        with served(Endless) as url:
            process = self.start("wire", "--server", url, "--seconds", "0.1")
            err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 3, err)
        self.assertIn("not an HTTP response", err)
        self.assertLess(Endless.sent, 40_000_000)

    def test_aws_is_what_the_environment_names(self):
        found = self.run_ycsb("aws", AWS_ENDPOINT_URL_DYNAMODB=ENDPOINT, AWS_REGION="us-east-1",
                              AWS_ACCESS_KEY_ID="bench", AWS_SECRET_ACCESS_KEY="bench")
        self.assertEqual(found["server"]["engine"], "aws")
        self.assertIsNone(found["server"]["url"])

    def test_a_started_server_needs_no_prepare(self):
        for verb in (["wire"], ["rate", "--rate", "50"], ["batching", "--in-flight", "2",
                                                          "--rounds", "1"]):
            process = self.start(*verb, "--server", "dynoxide", "--seconds", "0.2", "--json", "-")
            out, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 0, err)
            self.assertEqual(json.loads(out)["server"]["engine"], "dynoxide")

    def test_ctrl_c_while_the_server_starts(self):
        with tempfile.TemporaryDirectory() as folder:
            soak = ["soak", "--server", "dynoxide", "--table", "abc", "--ack-log", f"{folder}/log",
                    "--json"]
            for words in (["ycsb", "--json", "-"], ["wire", "--json", "-"], soak,
                          ["rate", "--rate", "9", "--json", "-"],
                          ["batching", "--server", "dynoxide", "--json", "-"]):
                for seconds in (0, 0.08):
                    self.check_interrupted_start(words, seconds)

    def check_interrupted_start(self, words, seconds):
        """After so many seconds of the start."""
        process = self.start(*words)
        self.assertTrue(wait_until(lambda: len(marked(self.mark)) > 1), words)
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130, (words, err))
        found = json.loads(out)
        self.assertTrue(found.get("interrupted") or not found["complete"], found)
        self.assertEqual(marked(self.mark), [], words)

    def test_killed_while_the_server_starts(self):
        process = self.start("ycsb", "--records", "10")
        self.assertTrue(wait_until(lambda: len(marked(self.mark)) > 1))
        process.kill()
        process.communicate()
        self.assertTrue(wait_until(lambda: not marked(self.mark)), marked(self.mark))

    def test_the_server_ends_though_its_keeper_was_killed(self):
        process = self.start("ycsb", "--records", "10", "--seconds", "1")
        url = process.stderr.readline().split()[-1]
        keeper = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text("ascii")
        os.kill(int(keeper), signal.SIGKILL)
        err = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, 0, err)
        self.assertTrue(wait_until(lambda: not marked(self.mark)), marked(self.mark))
        self.assertFalse(answers(url))

    def test_killed_while_the_server_works(self):
        process = self.start("ycsb", "--records", "10", "--seconds", "60")
        url = process.stderr.readline().split()[-1]
        self.assertTrue(url.startswith("http://127.0.0.1:"), url)
        self.assertTrue(answers(url))
        process.kill()
        process.communicate()
        self.assertTrue(wait_until(lambda: not marked(self.mark)), marked(self.mark))
        self.assertFalse(answers(url))


if __name__ == "__main__":
    if not ENDPOINT:
        print("skipped: CODYNAMO_TEST_ENDPOINT is not set")
        sys.exit(77)
    unittest.main()
