#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""tools/local-server.sh as its users call it. Its cache folder is the test's own, with links to the
user's servers, so that servers of others are neither seen nor stopped."""
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

from script import ROOT, USERS_CACHE, ScriptTest, children_of, command_line_of, is_alive

sys.path.insert(0, str(ROOT / "tests" / "support"))
from server_identity import server_at  # noqa: E402

# Answers HTTP on the port it is given, and keeps a count of its starts.
FAKE_JAVA = f"""#!{sys.executable}
import http.server, sys
if sys.argv[1] == "-version":
    sys.exit(print('openjdk version "VERSION" 2024-01-01', file=sys.stderr))
with open(__file__ + ".starts", "a") as file:
    print(" ".join(sys.argv[1:]), file=file)
port = int(sys.argv[sys.argv.index("-port") + 1])
http.server.HTTPServer(("127.0.0.1", port), http.server.BaseHTTPRequestHandler).serve_forever()
"""



class LocalServer(ScriptTest):
    def setUp(self):
        super().setUp()
        for path in USERS_CACHE.glob("*"):
            if path.name.startswith("dynoxide-") or path.name == "venv":
                (self.cache / path.name).symlink_to(path)
        self.addCleanup(self.stop_all)

    def stop_all(self):
        out = self.start("local-server.sh", "status").communicate()[0]
        for line in out.splitlines():
            self.tool("stop", "--port", line.split()[0].rsplit(":", 1)[1])

    def tool(self, *arguments, code=0):
        return self.run_script("local-server.sh", *arguments, code=code)

    def begin(self, *arguments):
        """The port of a server that was started."""
        out, _ = self.tool("start", *arguments)
        self.assertRegex(out, r"\Ahttp://127\.0\.0\.1:\d+\n\Z")
        return int(out.rsplit(":", 1)[1])

    def statuses(self):
        """(port, pid, engine) of each server."""
        words = [line.split() for line in self.tool("status")[0].splitlines()]
        self.assertTrue(all(each[1] == "pid" and len(each) == 4 for each in words), words)
        return [(int(url.rsplit(":", 1)[1]), int(pid), engine) for url, _, pid, engine in words]

    def left(self):
        """Files that tell of servers."""
        return sorted(path.name for path in (self.cache / "servers").glob("*")
                      if path.name != "lock")

    def dynamodb_local_home(self, *files):
        home = self.folder / "dynamodb local"
        home.mkdir()
        for name in files:
            (home / name).parent.mkdir(exist_ok=True)
            (home / name).touch()
        self.environment["DYNAMODB_LOCAL_HOME"] = str(home)
        return home

    def test_start_status_stop(self):
        port = self.begin()
        [(found, pid, engine)] = self.statuses()
        self.assertEqual((found, engine), (port, "dynoxide"))
        self.assertRegex(server_at(f"http://127.0.0.1:{port}"), r"^dynoxide \d")
        self.tool("stop")
        self.assertFalse(is_alive(pid))
        self.assertEqual(self.left(), [])
        self.assertIn("no local server is running", self.tool("status", code=1)[1])
        self.assertIn("no local server is running", self.tool("stop", code=1)[1])

    def test_two_at_the_same_time(self):
        ports = [self.begin(), self.begin("--engine", "dynoxide")]
        self.assertNotEqual(*ports)
        self.assertIn("choose one with --port", self.tool("stop", code=1)[1])
        self.assertEqual(sorted(port for port, _, _ in self.statuses()), sorted(ports))
        self.tool("stop", "--port", ports[0])
        self.assertEqual([port for port, _, _ in self.statuses()], ports[1:])
        self.assertIn(f"on port {ports[0]}", self.tool("status", "--port", ports[0], code=1)[1])

    def test_a_port_in_use_is_refused(self):
        port = self.begin()
        self.assertIn(f"port {port} is in use", self.tool("start", "--port", port, code=1)[1])
        self.assertEqual([each for each, _, _ in self.statuses()], [port])
        with socket.create_server(("127.0.0.1", 0)) as other:
            taken = other.getsockname()[1]
            self.assertIn(f"port {taken} is in use", self.tool("start", "--port", taken, code=1)[1])

    def table(self, port, operation, **more):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}", json.dumps({"TableName": "kept", **more}).encode(),
            {"X-Amz-Target": f"DynamoDB_20120810.{operation}", "X-Amz-Date": "20250101T000000Z",
             "Content-Type": "application/x-amz-json-1.0",
             "Authorization": "AWS4-HMAC-SHA256 Credential=local/20250101/us-east-1/dynamodb/"
                              "aws4_request, SignedHeaders=host, Signature=0"})
        return json.load(urllib.request.urlopen(request, timeout=10))

    def test_a_database_survives_a_restart_and_a_kill(self):
        file = self.folder / "new folder" / "table.db"
        port = self.begin("--db", file)
        self.table(port, "CreateTable", BillingMode="PAY_PER_REQUEST",
                   AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
                   KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}])
        key = {"key": {"S": "a"}}
        self.table(port, "PutItem", Item={**key, "value": {"S": "b"}})
        self.tool("stop")
        self.begin("--db", file, "--port", port)
        self.assertEqual(self.table(port, "GetItem", Key=key)["Item"]["value"], {"S": "b"})
        [(_, pid, _)] = self.statuses()
        os.kill(pid, signal.SIGKILL)
        while is_alive(pid):
            time.sleep(0.01)
        self.tool("status", code=1)
        self.begin("--db", file, "--port", port)
        self.assertEqual(self.table(port, "GetItem", Key=key)["Item"]["value"], {"S": "b"})

    def test_a_process_of_others_is_not_stopped(self):
        port = self.begin()
        self.tool("stop")
        other = subprocess.Popen(["sleep", "100"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        (self.cache / "servers" / f"{port}.pid").write_text(f"{other.pid} dynoxide\n")
        self.assertIn("no local server", self.tool("stop", "--port", port, code=1)[1])
        self.assertIsNone(other.poll())
        # Nor does what a dead server left behind keep its port from the next one.
        self.assertEqual(self.begin("--port", port), port)

    def test_moto(self):
        if not list(self.cache.glob("venv/moto*")):
            self.skipTest("moto is not installed; run tools/install-dependencies.sh moto")
        self.assertIn("moto keeps everything in memory",
                      self.tool("start", "--engine", "moto", "--db", "x", code=1)[1])
        port = self.begin("--engine", "moto")
        self.assertEqual([(found, engine) for found, _, engine in self.statuses()],
                         [(port, "moto")])
        self.assertRegex(server_at(f"http://127.0.0.1:{port}"), "^moto")
        self.assertIn("no dynoxide server", self.tool("stop", "--engine", "dynoxide", code=1)[1])
        self.tool("stop", "--engine", "moto")
        self.assertEqual(self.left(), [])

    def test_dynamodb_local_is_the_users_own_copy(self):
        start = ("start", "--engine", "dynamodb-local")
        self.assertIn("DYNAMODB_LOCAL_HOME", self.tool(*start, code=1)[1])
        self.environment["DYNAMODB_LOCAL_HOME"] = str(self.folder / "none")
        self.assertIn("is not a folder", self.tool(*start, code=1)[1])
        home = self.dynamodb_local_home()
        self.assertIn("holds neither", self.tool(*start, code=1)[1])
        (home / "DynamoDBLocal.jar").touch()
        (home / "DynamoDBLocal_lib").mkdir()
        self.program("java", FAKE_JAVA.replace("VERSION", "11.0.2"))
        self.assertIn("17 or later", self.tool(*start, code=1)[1])
        self.assertEqual(self.left(), [])

    def check_fake_copy(self, *expected):
        self.program("java", FAKE_JAVA.replace("VERSION", "21.0.2"))
        for downloader in ("curl", "wget", "mvn", "apt-get"):
            self.program(downloader, f"#!/bin/sh\ntouch '{self.folder}/downloaded'\n")
        before = sorted(path.name for path in self.cache.iterdir())
        port = self.begin("--engine", "dynamodb-local")
        self.assertEqual([(found, engine) for found, _, engine in self.statuses()],
                         [(port, "dynamodb-local")])
        self.tool("stop")
        database = self.folder / "database"
        self.begin("--engine", "dynamodb-local", "--port", port, "--db", database)
        [(_, pid, _)] = self.statuses()
        self.tool("stop")
        self.assertFalse(is_alive(pid))
        memory, kept = (self.programs / "java.starts").read_text().splitlines()
        for words in (f"-port {port} ", *expected):
            self.assertIn(words, memory)
        self.assertTrue(memory.endswith(" -inMemory"), memory)
        self.assertTrue(kept.endswith(f" -dbPath {database}"), kept)
        self.assertFalse((self.folder / "downloaded").exists())
        self.assertEqual(sorted(path.name for path in self.cache.iterdir()),
                         sorted({*before, "servers"}))

    def test_dynamodb_local_from_amazons_archive(self):
        home = self.dynamodb_local_home("DynamoDBLocal.jar", "DynamoDBLocal_lib/x.so")
        self.check_fake_copy(f"-jar {home}/DynamoDBLocal.jar",
                             f"-Djava.library.path={home}/DynamoDBLocal_lib ")

    def test_dynamodb_local_from_a_folder_of_jars(self):
        home = self.dynamodb_local_home("DynamoDBLocal-3.1.0.jar")
        self.check_fake_copy(f"-cp {home}/* software/amazon/", f"-Djava.library.path={home} ")

    def test_dynamodb_local_of_an_older_version_from_a_folder_of_jars(self):
        home = self.dynamodb_local_home("DynamoDBLocal-2.6.1.jar")
        self.check_fake_copy(f"-cp {home}/* com/amazonaws/services/dynamodbv2/local/main/")

    def test_a_server_that_ends_at_once_is_an_error_with_its_words(self):
        self.dynamodb_local_home("DynamoDBLocal-3.1.0.jar")
        self.program("java", '#!/bin/sh\n[ "$1" = -version ] && echo \'version "17"\' && exit\n'
                             "echo no such class; exit 1\n")
        _, err = self.tool("start", "--engine", "dynamodb-local", code=1)
        self.assertIn("no such class", err)
        self.assertIn("ended before it answered", err)
        self.assertEqual(self.left(), [])

    def test_bad_arguments_are_refused_by_name(self):
        for arguments, words in (
                ([], "'' is not a command"), (["begin"], "'begin' is not a command"),
                (["start", "--engine", "nginx"], "--engine nginx"),
                (["start", "--port", "0"], "--port 0"), (["start", "--port", "080"], "--port 080"),
                (["start", "--port", "65536"], "--port 65536"),
                (["start", "--port", "1 2"], "--port 1 2"),
                (["start", "--port"], "--port needs a value"), (["start", "--db", ""], "--db needs"),
                (["start", "--memory", "1"], "'--memory' is not an option"),
                (["stop", "--db", "x"], "--db x"), (["status", "more"], "'more' is not"),
                (["start", "--db", str(self.folder)], "this is a folder")):
            out, err = self.tool(*arguments, code=1)
            self.assertIn(words, err)
            self.assertEqual(out, "")
        self.assertIn("--engine", self.tool("--help")[0])

    def test_concurrent_starts_get_different_ports(self):
        starts = [self.start("local-server.sh", "start") for _ in range(6)]
        urls = [process.communicate(timeout=60)[0] for process in starts]
        self.assertEqual([process.returncode for process in starts], [0] * 6)
        self.assertEqual(len(set(urls)), 6)
        self.assertEqual(len(self.statuses()), 6)

    def test_of_concurrent_starts_on_one_port_one_succeeds(self):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        starts = [self.start("local-server.sh", "start", "--port", port) for _ in range(4)]
        for process in starts:
            process.communicate(timeout=60)
        self.assertEqual(sorted(process.returncode for process in starts), [0, 1, 1, 1])
        self.assertEqual([found for found, _, _ in self.statuses()], [port])

    def test_a_port_is_claimed_under_a_lock(self):
        (self.cache / "servers").mkdir()
        with open(self.cache / "servers" / "lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = self.start("local-server.sh", "start")
            waiting = []
            while not waiting:
                self.assertIsNone(process.poll(), "it did not wait")
                waiting = [pid for child in children_of(process.pid) for pid in children_of(child)
                           if command_line_of(pid).startswith("flock ")]
            self.assertEqual(self.left(), [])
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)

    def test_killed_while_starting_it_leaves_nothing(self):
        self.dynamodb_local_home("DynamoDBLocal-3.1.0.jar")
        # Never answers.
        self.program("java", '#!/bin/sh\n[ "$1" = -version ] && echo \'version "17"\' && exit\n'
                             "exec sleep 100 # $*\n")
        for number in (signal.SIGTERM, signal.SIGINT):
            process = self.start("local-server.sh", "start", "--engine", "dynamodb-local")
            servers = []
            while not servers:
                self.assertIsNone(process.poll())
                servers = [pid for pid in children_of(process.pid)
                           if command_line_of(pid).startswith("sleep 100")]
            process.send_signal(number)
            out, _ = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out), (128 + number, ""))
            self.assertFalse(is_alive(servers[0]))
            self.assertEqual(self.left(), [])


if __name__ == "__main__":
    if not list(USERS_CACHE.glob("dynoxide-*/bin/dynoxide")):
        print("skipped: dynoxide is not there; run tools/install-dependencies.sh server")
        sys.exit(77)
    unittest.main(verbosity=2)
