# SPDX-License-Identifier: BSL-1.0
"""The verbs that speak to a table, from its making to its end: in this order."""
import base64
import json
import os
import tempfile
import time

from program import FAILURE, MISS, OK, TABLE, environment, expect, table


def live_table_is_made_and_described():
    expect_missing = table(FAILURE, "table", "describe", "--json")
    assert json.loads(expect_missing)["service_code"] == "ResourceNotFoundException"
    table(OK, "table", "create")
    table(OK, "table", "create")  # once more does no harm
    words = json.loads(table(OK, "table", "describe", "--json"))
    assert (words["table"], words["status"], words["keys"]) == (TABLE, "ACTIVE", ["key"]), words
    assert words["ttl_attribute"] == "ttl", words
    assert b"status: ACTIVE" in table(OK, "table", "describe")


def live_values_go_in_and_out():
    table(OK, "set", "k", '{"a": [1, 2.5, "ä"]}')
    assert json.loads(table(OK, "get", "k")) == {"a": [1, 2.5, "ä"]}
    table(OK, "set", "k", "-0.1")
    assert json.loads(table(OK, "get", "k")) == -0.1
    table(OK, "set", "k", "-", stdin=b"[18446744073709551615]")
    assert json.loads(table(OK, "get", "k")) == [18446744073709551615]
    assert table(MISS, "get", "nobody") == b""
    assert json.loads(table(MISS, "get", "nobody", "--json")) == {"key": "nobody", "hit": False}


def live_bytes_are_exact():
    every_byte = bytes(range(256)) * 3 + b"\n\n"
    with tempfile.NamedTemporaryFile() as file:
        file.write(every_byte)
        file.flush()
        table(OK, "set", "b", f"@{file.name}", "--bytes")
    assert table(OK, "get", "b", "--bytes") == every_byte
    answer = json.loads(table(OK, "get", "b", "--bytes", "--json"))
    assert base64.b64decode(answer["value_base64"]) == every_byte
    table(FAILURE, "get", "b")  # it is not JSON
    table(OK, "set", "t", "just text", "--text")
    assert table(OK, "get", "t", "--text") == b"just text\n"
    for length in range(5):
        table(OK, "set", "short", "-", "--bytes", stdin=b"\xff" * length)
        answer = json.loads(table(OK, "get", "short", "--bytes", "--json"))
        assert base64.b64decode(answer["value_base64"], validate=True) == b"\xff" * length


def live_lifetimes():
    table(OK, "set", "brief", "1", "--ttl", "0.5")
    table(OK, "set", "long", "1", "--ttl", "1000")
    answer = json.loads(table(OK, "get", "long", "--json"))
    assert 990 < answer["remaining_seconds"] <= 1000 and answer["age_seconds"] < 10, answer
    assert answer["source"] == "dynamodb", answer
    time.sleep(0.6)
    table(MISS, "get", "brief")
    cleared = json.loads(table(OK, "clear-expired", "--json"))
    # The server's own expiry may have been quicker.
    assert cleared["deleted"] <= 1 <= cleared["kept"], cleared
    assert cleared["scanned"] == cleared["deleted"] + cleared["kept"], cleared
    table(OK, "get", "long")


def live_erasing():
    table(OK, "set", "one", "1")
    table(OK, "set", "two", "2")
    assert json.loads(table(MISS, "rm", "one", "two", "three", "--json")) == {
        "erased": ["one", "two"], "missing": ["three"]}
    table(MISS, "get", "one")
    table(OK, "set", "one", "1")
    table(OK, "rm", "one")
    table(OK, "set", "one", "1")
    assert json.loads(table(OK, "clear", "--json"))["deleted"] >= 1
    table(MISS, "get", "one")


def live_options_may_follow_the_verb():
    expect(MISS, "get", "nobody", "--table", TABLE, "--json", "--region=us-east-1", "--endpoint",
           os.environ["CODYNAMO_TEST_ENDPOINT"], env=environment(AWS_ACCESS_KEY_ID="local"))
    expect(MISS, "get", "nobody", env=environment(
        AWS_ACCESS_KEY_ID="local", AWS_REGION="us-east-1", CODYNAMO_TABLE=TABLE,
        AWS_ENDPOINT_URL_DYNAMODB=os.environ["CODYNAMO_TEST_ENDPOINT"]))


def live_table_is_deleted():
    table(OK, "table", "delete")
    table(MISS, "table", "delete")
