# SPDX-License-Identifier: BSL-1.0
"""The servers that are asked: nginx with a fixed answer, and servers of DynamoDB with one item."""
import argparse
import base64
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import machine

ROOT = Path(__file__).resolve().parents[2]
TABLE, KEY = "codynamo-peers", "1k"
# What bench/canned.sh answers, and what every driver compares with.
VALUE = b"0123456789abcdef" * 64
# Local servers want the form of a signature, and do not check it.
SIGNED = ("AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, "
          "SignedHeaders=host;x-amz-date;x-amz-target, Signature=" + "0" * 64)


class Unavailable(Exception):
    """Why a server cannot be had."""


def script(*command):
    """Runs one of the project's; in a session of its own, so that Ctrl-C does not reach it."""
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True)
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Unavailable(words[-1])
    return done.stdout.splitlines()


class Canned:
    name, title = "canned", "fixed answers"
    parts, warmup, package_version = (), 0, None

    def start(self, core):
        self.folder, *lines = script(ROOT / "bench/canned.sh", "start", "--core", core)
        self.url = dict(line.split("=", 1) for line in lines)["plain"]
        self.pids = machine.family(int(Path(self.folder, "nginx.pid").read_text(encoding="ascii")))

    def stop(self):
        script(ROOT / "bench/canned.sh", "stop", self.folder)


class LocalServer:
    """An engine of tools/local-server.sh with one item."""
    tool = ROOT / "tools/local-server.sh"

    def __init__(self, name, title=None, parts=(), warmup=1, version_name=None):
        self.name, self.title, self.parts, self.warmup = name, title or name, parts, warmup
        self.package_version = pinned(version_name) if version_name else None

    def start(self, core):
        self.url = script("taskset", "-c", core, self.tool, "start", "--engine", self.name)[0]
        self.port = self.url.rsplit(":", 1)[1]
        try:
            _url, _word, pid, _engine = script(self.tool, "status", "--port", self.port)[0].split()
            self.pids = [int(pid)]
            create_table(self.url)
            store_item(self.url)
        except Exception:
            self.stop()
            raise

    def stop(self):
        script(self.tool, "stop", "--port", self.port)


class RunningServer:
    """One that checks no signature, by its URL. The table goes afterwards unless it was there."""
    parts, warmup, pids, package_version = (), 1, [], None

    def __init__(self, url):
        self.name = self.title = self.url = url
        self.created = False

    def start(self, _core):
        self.created = create_table(self.url)
        store_item(self.url)

    def stop(self):
        if self.created:
            ask(self.url, "DeleteTable", TableName=TABLE)


def ask(url, operation, **parameters):
    request = urllib.request.Request(url, json.dumps(parameters).encode(), {
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Date": "20260101T000000Z",
        "X-Amz-Target": "DynamoDB_20120810." + operation, "Authorization": SIGNED})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise Unavailable(f"{operation}: {error}: {error.read().decode(errors='replace')}") \
            from error
    except (OSError, ValueError) as error:
        raise Unavailable(f"{operation}: {error}") from error


def create_table(url):
    """False when there is one."""
    try:
        ask(url, "CreateTable", TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}])
    except Unavailable as error:
        if "ResourceInUseException" in str(error):
            return False
        raise
    for _ in range(100):
        if ask(url, "DescribeTable", TableName=TABLE)["Table"]["TableStatus"] == "ACTIVE":
            return True
        time.sleep(0.1)
    raise Unavailable(f"{url}: table {TABLE} does not become active")


def store_item(url):
    ask(url, "PutItem", TableName=TABLE, Item={
        "key": {"S": KEY}, "value": {"B": base64.b64encode(VALUE).decode("ascii")},
        "expire": {"N": "0"}, "update_ts": {"N": "1767225600.123456"}})


def version_of(url):
    """Of the headers of an answer: dynoxide's own, or Server; else None."""
    try:
        headers = urllib.request.urlopen(url, timeout=2).headers
    except urllib.error.HTTPError as error:
        headers = error.headers
    except OSError:
        return None
    return headers.get("x-dynoxide-version") or headers.get("server")


def pinned(name):
    """A version of tools/common.sh."""
    text = (ROOT / "tools/common.sh").read_text(encoding="utf-8")
    return re.search(rf"^{name}=(\S+)$", text, re.M)[1]


SERVERS = [Canned(), LocalServer("dynoxide", parts=("server",), version_name="dynoxide_version"),
           LocalServer("moto", parts=("moto",), version_name="moto_version"),
           # A JVM compiles for a while.
           LocalServer("dynamodb-local", "DynamoDB Local", warmup=10)]
NAMES = [server.name for server in SERVERS]
DEFAULTS = ["canned", "dynoxide"]


def named(name):
    """Of --server. Raises ArgumentTypeError."""
    for server in SERVERS:
        if server.name == name:
            return server
    if re.fullmatch(r"https?://[^/?#@\s]+/?", name):
        return RunningServer(name.rstrip("/"))
    raise argparse.ArgumentTypeError(f"'{name}' is none of {', '.join(NAMES)}, and not a URL such "
                                     "as http://127.0.0.1:8000")
