# SPDX-License-Identifier: BSL-1.0
"""The two servers that are asked: nginx with a fixed answer, and DynamoDB Local with one item."""
import base64
import json
import subprocess
import urllib.request
from pathlib import Path

import machine

ROOT = Path(__file__).resolve().parents[2]
TABLE, KEY = "codynamo-peers", "1k"
# What bench/canned.sh answers, and what every driver compares with.
VALUE = b"0123456789abcdef" * 64
# DynamoDB Local wants the form of a signature, and does not check it.
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
    warmup = 0

    def __init__(self, core):
        self.folder, *lines = script(ROOT / "bench/canned.sh", "start", "--core", core)
        self.url = dict(line.split("=", 1) for line in lines)["plain"]
        self.pids = machine.family(int(Path(self.folder, "nginx.pid").read_text(encoding="ascii")))

    def stop(self):
        script(ROOT / "bench/canned.sh", "stop", self.folder)


class DynamodbLocal:
    name, title = "dynamodb-local", "DynamoDB Local"
    # The JVM is slow at first, and nobody's first round shall pay for it.
    warmup = 10

    def __init__(self, core):
        tool = ROOT / "tools/dynamodb-local.sh"
        self.url = script("taskset", "-c", core, tool, "start")[0]
        self.port = self.url.rsplit(":", 1)[1]
        try:
            self.pids = [int(script(tool, "status", "--port", self.port)[0].split()[-1])]
            self.fill()
        except Exception:
            self.stop()
            raise

    def fill(self):
        self.ask("CreateTable", TableName=TABLE, BillingMode="PAY_PER_REQUEST",
                 AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
                 KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}])
        self.ask("PutItem", TableName=TABLE, Item={
            "key": {"S": KEY}, "value": {"B": base64.b64encode(VALUE).decode("ascii")},
            "expire": {"N": "0"}, "update_ts": {"N": "1767225600.123456"}})

    def ask(self, operation, **what):
        request = urllib.request.Request(self.url, json.dumps(what).encode(), {
            "Content-Type": "application/x-amz-json-1.0", "X-Amz-Date": "20260101T000000Z",
            "X-Amz-Target": "DynamoDB_20120810." + operation, "Authorization": SIGNED})
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except OSError as why:
            raise Unavailable(f"{operation}: {why}") from why

    def stop(self):
        script(ROOT / "tools/dynamodb-local.sh", "stop", "--port", self.port)


SERVERS = [Canned, DynamodbLocal]
