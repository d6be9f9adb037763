#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""tools/local-server.sh as its users call it. Its cache folder is the test's own, with links to the
user's servers, so that servers of others are neither seen nor stopped."""
import fcntl
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

from script import ROOT, USERS_CACHE, children_of, command_line_of, is_alive, read_of
from server_script import ServerScriptTest

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


class LocalServer(ServerScriptTest):
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

    def test_a_port_whose_program_accepts_no_connection_is_in_use(self):
        with socket.create_server(("127.0.0.1", 0), backlog=0) as other:
            port = other.getsockname()[1]
            waiting = [socket.socket() for _ in range(4)]
            for each in waiting:
                self.addCleanup(each.close)
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", port))
            code, _, err = self.tool_under([], "start", "--port", port)
            self.assertEqual(code, 1)
            self.assertIn(f"port {port} is in use", err)

    def test_a_server_whose_url_cannot_be_written_is_stopped(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            code, _, err = self.tool_under([], "start", stdout=full)
        self.assertEqual(code, 1, err)
        self.assertEqual(self.left(), [])

    def test_a_server_keeps_nothing_open_of_its_caller(self):
        ours, inherited = os.pipe()
        with open(ours, "rb") as end:
            code, _, err = self.tool_under([], "start", pass_fds=[inherited])
            os.close(inherited)
            self.assertEqual(code, 0, err)
            self.assertEqual(select.select([end], [], [], 10)[0], [end], "it is still open")

    def test_a_folder_that_cannot_hold_pid_files_is_no_port_in_use(self):
        (self.cache / "servers" / "lock").mkdir(parents=True)
        self.assertIn(f"cannot write in {self.cache}/servers", self.tool("start", code=1)[1])
        (self.cache / "servers" / "lock").rmdir()
        (self.cache / "servers").rmdir()
        (self.cache / "servers").touch()
        self.assertIn(f"cannot write in {self.cache}/servers", self.tool("start", code=1)[1])
        (self.cache / "servers").unlink()

    def test_a_relative_cache_folder_is_refused(self):
        self.environment["XDG_CACHE_HOME"] = "relative"
        for verb in ("start", "status", "stop"):
            self.assertIn("the cache folder is relative/codynamo", self.tool(verb, code=1)[1])

    def test_a_server_that_cannot_be_stopped_is_not_forgotten(self):
        if os.geteuid() != 0:
            self.skipTest("only root can start a process of another user")
        other = subprocess.Popen(["setpriv", "--reuid", "65534", "--clear-groups", "sleep", "100"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        while not command_line_of(other.pid).startswith("sleep"):
            time.sleep(0.01)
        started = read_of(other.pid, "stat").rpartition(")")[2].split()[19]
        (self.cache / "servers").mkdir()
        (self.cache / "servers" / "8000.pid").write_text(f"{other.pid} {started} dynoxide\n")
        code, _, err = self.tool_under(["setpriv", "--bounding-set=-kill", "--inh-caps=-kill"],
                                       "stop")
        self.assertEqual(code, 1)
        self.assertIn(f"cannot stop pid {other.pid} on port 8000", err)
        self.assertEqual(self.left(), ["8000.pid"])

    def test_a_database_that_cannot_be_kept_is_refused_by_name(self):
        (self.folder / "file").touch()
        os.mkfifo(self.folder / "pipe")
        for name, words in (("file/table.db", "cannot create the folder"),
                            ("pipe", "not a file that can be written"), ("new/", "is a folder")):
            database = f"{self.folder}/{name}"
            err = self.tool("start", "--db", database, code=1)[1]
            self.assertIn(f"--db {database}: ", err)
            self.assertIn(words, err)
        closed = self.folder / "closed"
        closed.mkdir(mode=0o600)
        privileges = "-dac_override,-dac_read_search"
        prefix = ["setpriv", f"--bounding-set={privileges}", f"--inh-caps={privileges}"]
        code, _, err = self.tool_under(prefix if os.geteuid() == 0 else [], "start", "--db",
                                       closed / "table.db")
        self.assertEqual(code, 1, "it is kept somewhere else")
        self.assertIn(f"the folder {closed}/ cannot be written", err)

    def test_a_database_may_have_a_name_like_an_option(self):
        (self.folder / "-p").mkdir()
        for name in ("-rf", "-p/-d"):
            code, _, err = self.tool_under([], "start", "--db", name, cwd=self.folder)
            self.assertEqual(code, 0, err)
            self.tool("stop")
            self.assertTrue((self.folder / name).is_file())

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
        # Its command line is that of a start, or of an editor.
        other = subprocess.Popen(["bash", "-c", "exec -a local-server.sh sleep 100"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        while not command_line_of(other.pid).startswith("local-server.sh"):
            time.sleep(0.01)
        for owner in (f"{other.pid} 1 dynoxide", f"{other.pid} dynoxide", f"{other.pid}", ""):
            (self.cache / "servers" / f"{port}.pid").write_text(owner + "\n")
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

    def test_killed_while_it_installs_it_leaves_nothing(self):
        for path in self.cache.iterdir():
            path.unlink()
        # Never done with the build.
        self.program("cargo", '#!/bin/sh\n[ "$1" = --version ] && echo "cargo 1.96.0" && exit\n'
                              f"echo $$ >'{self.folder}/builder'\nexec sleep 100\n")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            process = self.start("local-server.sh", "start")
            builder = self.folder / "builder"
            while not builder.exists() or not builder.read_text():
                self.assertIsNone(process.poll())
                time.sleep(0.01)
            process.send_signal(number)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, 128 + number)
            self.assertFalse(is_alive(int(builder.read_text())))
            self.assertEqual([path.name for path in self.cache.iterdir()], ["lock"])
            builder.unlink()

    def test_killed_while_starting_it_leaves_nothing(self):
        self.dynamodb_local_home("DynamoDBLocal-3.1.0.jar")
        # Never answers.
        self.program("java", '#!/bin/sh\n[ "$1" = -version ] && echo \'version "17"\' && exit\n'
                             "exec sleep 100 # $*\n")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
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
