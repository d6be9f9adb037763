#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The real pynamodb_mate and codynamo on one table, both directions.

    interop.py PEER       the C++ program; needs CODYNAMO_TEST_ENDPOINT, else says that it skips

Each function named check_… gets a Table on which both caches are open, and asserts.
"""
import json
import math
import os
import random
import struct
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from server_identity import print_server_at  # noqa: E402
from tapped import write_down  # noqa: E402

ENDPOINT = os.environ.get("CODYNAMO_TEST_ENDPOINT")
if not ENDPOINT:
    print("skipped: CODYNAMO_TEST_ENDPOINT is not set")
    sys.exit(77)
os.environ.update({"AWS_ENDPOINT_URL_DYNAMODB": ENDPOINT, "AWS_ACCESS_KEY_ID": "local",
                   "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                   "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"})
try:
    from pynamodb_mate.patterns.cache.backend.dynamodb import (JsonDictDynamodbCache,
                                                               JsonListDynamodbCache)
except ImportError:
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    python = Path(cache_home) / "codynamo" / "venv" / "bin" / "python"
    if Path(sys.prefix) == python.parent.parent or not python.exists():
        sys.exit("pynamodb_mate is not installed; run tools/install-dependencies.sh test")
    os.execv(python, [str(python), *sys.argv])

REFUSED = "the stored bytes could not be deserialized"


class Peer:
    """The C++ program, over pipes."""

    def __init__(self, program, table, create):
        self.process = subprocess.Popen([program, table, "create" if create else "use"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.answer() == {}

    def answer(self):
        line = self.process.stdout.readline()
        write_down(line)
        assert line, f"the peer ended with {self.process.wait()}"
        return json.loads(line)

    def ask(self, verb, **what):
        print(json.dumps({"verb": verb, **what}), file=self.process.stdin, flush=True)
        return self.answer()

    def get(self, kind, key):
        """The value, or None for a miss; a refusal is an AssertionError."""
        found = self.ask(f"get_{kind}", key=key)
        assert "error" not in found, found
        return json.loads(found["text"]) if found["hit"] else None

    def refusal(self, kind, key):
        return self.ask(f"get_{kind}", key=key).get("error")

    def set(self, key, value, ttl=0):
        self.ask("set_any", key=key, text=json.dumps(value), ttl=ttl)

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=10) == 0


class Table:
    def __init__(self, program, name, python_first):
        if python_first:
            self.open_python(name)
        self.cpp = Peer(program, name, create=not python_first)
        if not python_first:
            self.open_python(name)

    def open_python(self, name):
        self.dicts = JsonDictDynamodbCache(table_name=name, region="us-east-1")
        self.lists = JsonListDynamodbCache(table_name=name, region="us-east-1")


VALUES = {
    "empty": {},
    "nested": {"a": {"b": [1, {"c": None}], "d": {}}, "e": []},
    "unicode": {"latin": "ä", "cjk": "日本", "emoji": "😀", "nul": "a\u0000b", "escape": "\"\\/\n\t",
                "schlüssel": "Wert"},
    "numbers": {"zero": 0, "negative": -1, "min": -2**63, "max": 2**63 - 1, "unsigned": 2**64 - 1,
                "tenth": 0.1, "tiny": 5e-324, "huge": 1.7976931348623157e308, "one": 1.0},
    "constants": {"yes": True, "no": False, "nothing": None},
}
KEYS = ["plain", "ünï/çødé 😀", " spaces and\ttabs ", "quote\"back\\slash", "k" * 2048]


def check_dicts_from_python(table):
    for key, value in VALUES.items():
        table.dicts.set(key, value)
        assert table.cpp.get("dict", key) == value, key


def check_dicts_from_cpp(table):
    for key, value in VALUES.items():
        table.cpp.set(key, value)
        assert table.dicts.get(key) == value, key


def check_lists(table):
    value = [1, "two", None, [], {"three": 3.5}]
    table.lists.set("list", value)
    assert table.cpp.get("list", "list") == value
    table.cpp.set("list", value[::-1])
    assert table.lists.get("list") == value[::-1]


def check_keys(table):
    for key in KEYS:
        table.dicts.set(key, {"from": "python"})
        assert table.cpp.get("dict", key) == {"from": "python"}, key
        table.cpp.set(key, {"from": "cpp"})
        assert table.dicts.get(key) == {"from": "cpp"}, key


def bits(values):
    return [struct.pack(">d", value) for value in values]


def check_doubles_bit_for_bit(table):
    generator = random.Random(20260101)
    values = [generator.uniform(0, 1000) for _ in range(2000)]
    while len(values) < 5000:
        value = struct.unpack(">d", generator.randbytes(8))[0]
        if math.isfinite(value):
            values.append(value)
    values += [0.0, -0.0, 5e-324, 2.2250738585072014e-308, 9007199254740993.0, 1e22, 1e23]
    table.lists.set("doubles", values)
    assert bits(table.cpp.get("list", "doubles")) == bits(values)
    table.cpp.set("doubles", values)
    assert bits(table.lists.get("doubles")) == bits(values)


def check_what_cpp_cannot_hold_is_refused(table):
    for name, value in {"nan": math.nan, "infinity": math.inf, "minus": -math.inf,
                        "wide": 2**64, "very wide": 10**30, "low": -2**63 - 1,
                        "surrogate": "\ud800"}.items():
        table.dicts.set("bad", {"x": value})
        assert table.cpp.refusal("dict", "bad") == REFUSED, name
    table.dicts.set("bad", {"x": 2**63})
    assert table.cpp.get("dict", "bad") == {"x": 2**63}


def check_another_type_is_refused(table):
    table.lists.set("kind", [1])
    assert table.cpp.refusal("dict", "kind") == REFUSED
    table.dicts.set("kind", {"a": 1})
    assert table.cpp.refusal("list", "kind") == REFUSED
    table.cpp.set("kind", None)
    assert table.cpp.ask("get_any", key="kind") == {"hit": True, "text": "null"}


def check_misses(table):
    assert table.dicts.get("nobody wrote this") is None
    assert table.cpp.get("dict", "nobody wrote this") is None


def check_expiry_seen_by_both(table):
    table.dicts.set("by python", {"x": 1}, expire=1)
    table.cpp.set("by cpp", {"x": 2}, ttl=1)
    table.cpp.set("for ever", {"x": 3})
    table.dicts.set("at once", {"x": 4}, expire=-1)
    for key, value in (("by python", {"x": 1}), ("by cpp", {"x": 2})):
        assert table.dicts.get(key) == value, key
        assert table.cpp.get("dict", key) == value, key
    time.sleep(1.2)
    for key in ("by python", "by cpp", "at once"):
        assert table.dicts.get(key) is None, key
        assert table.cpp.get("dict", key) is None, key
    assert table.dicts.get("for ever") == table.cpp.get("dict", "for ever") == {"x": 3}


def check_touch_is_seen_by_python(table):
    table.dicts.set("touched", {"x": 1}, expire=1)
    assert table.cpp.ask("touch", key="touched", ttl=60) == {"done": True}
    time.sleep(1.2)
    assert table.dicts.get("touched") == {"x": 1}
    table.dicts.set("late", {"x": 1}, expire=-1)
    assert table.cpp.ask("touch", key="late", ttl=60) == {"done": False}


def check_python_overwrites_the_extra_attribute(table):
    table.cpp.set("both", {"x": 1}, ttl=1)
    table.dicts.set("both", {"x": 2})
    time.sleep(1.2)
    assert table.cpp.get("dict", "both") == {"x": 2}


def check_their_clear_all_on_our_items(table):
    for i in range(60):
        table.cpp.set(f"ours {i}", {"i": i}, ttl=60 if i % 2 else 0)
    table.dicts.clear_all()
    assert all(table.cpp.get("dict", f"ours {i}") is None for i in range(60))


def check_our_clears_on_their_items(table):
    table.cpp.ask("clear_all")
    for i in range(30):
        table.dicts.set(f"theirs {i}", {"i": i}, expire=-1 if i < 10 else 0)
    assert table.cpp.ask("clear_expired") == {"scanned": 30, "deleted": 10, "kept": 20}
    assert table.dicts.get("theirs 10") == {"i": 10}
    assert table.cpp.ask("clear_all")["deleted"] == 20
    assert table.dicts.get("theirs 10") is None


def main(program):
    print_server_at(ENDPOINT)
    checks = [check for name, check in globals().items() if name.startswith("check_")]
    failed = 0
    for python_first in (True, False):
        who = "python" if python_first else "cpp"
        table = Table(program, f"interop-{who}-{os.getpid()}", python_first)
        for check in checks:
            try:
                check(table)
                print(f"ok      table by {who}: {check.__name__[6:]}", flush=True)
            except Exception as why:
                failed += 1
                print(f"FAILED  table by {who}: {check.__name__[6:]}: {why!r}", flush=True)
        table.cpp.close()
    print(f"{2 * len(checks)} checks, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
