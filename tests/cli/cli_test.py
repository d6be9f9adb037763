#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Tests of the command-line program as a script sees it: arguments, stdin, stdout, exit code.

    cli_test.py PROGRAM offline|vectors|live DEFAULT_VECTORS

Functions named offline_…, vectors_… and live_… are the tests of their group.
"""
import base64
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from tapped import write_down  # noqa: E402

PROGRAM, GROUP, DEFAULT_VECTORS = sys.argv[1:4]
SKIPPED = 77
OK, MISS, USAGE, FAILURE = range(4)
TABLE = f"cli-{os.getpid()}"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def environment(**extra):
    """No AWS settings but the given ones, and no shared files."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("AWS_", "CODYNAMO_"))}
    nowhere = os.path.join(tempfile.gettempdir(), "no such file")
    return {**kept, "AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": SECRET, **extra}


def run(*arguments, stdin=b"", env=None):
    """Exit code, stdout and stderr; the secret is in neither."""
    done = subprocess.run([PROGRAM, *arguments], input=stdin, capture_output=True, timeout=60,
                          env=env or environment())
    # To print a signature, and a token with it, is what the verb sign is for.
    write_down(b"" if "sign" in arguments else done.stdout, done.stderr)
    assert SECRET.encode() not in done.stdout + done.stderr, "a secret was printed"
    return done.returncode, done.stdout, done.stderr.decode()


def expect(wanted_code, *arguments, **how):
    code, out, err = run(*arguments, **how)
    assert code == wanted_code, f"{arguments}: exit code {code}, {out!r}, {err!r}"
    return out


def table(wanted_code, *arguments, **how):
    """Runs a verb on the test's table; global options stand in front here."""
    return expect(wanted_code, "--table", TABLE, "--region", "us-east-1", "--endpoint",
                  os.environ["CODYNAMO_TEST_ENDPOINT"], *arguments,
                  env=environment(AWS_ACCESS_KEY_ID="local"), **how)


def offline_help_and_usage():
    assert b"clear-expired" in expect(OK, "--help")
    assert b"--ttl" in expect(OK, "set", "--help")
    expect(USAGE)
    expect(USAGE, "no-such-verb")
    expect(USAGE, "get")
    expect(USAGE, "get", "key", "--no-such-option")
    expect(USAGE, "set", "key", "1", "--ttl", "soon")
    expect(USAGE, "get", "key", "--text", "--bytes", "--table", "t")


def offline_invalid_input_is_not_sent():
    nowhere = ["--endpoint", "http://127.0.0.1:9", "--region", "us-east-1"]
    expect(USAGE, "get", "key", *nowhere)  # no table
    expect(USAGE, "get", "", "--table", "cache", *nowhere)
    expect(USAGE, "get", "k" * 2049, "--table", "cache", *nowhere)
    expect(USAGE, "get", "key", "--table", "a", *nowhere)
    expect(USAGE, "set", "key", "{not json", "--table", "cache", *nowhere)
    expect(USAGE, "set", "key", "@" + "no such file", "--table", "cache", *nowhere)
    expect(USAGE, "set", "key", "1", "--ttl", "nan", "--table", "cache", *nowhere)
    words = json.loads(expect(USAGE, "--json", "get", "", "--table", "cache", *nowhere))
    assert words["kind"] == "invalid argument", words


def offline_failure():
    code, out, err = run("get", "key", "--table", "cache", "--region", "us-east-1",
                         "--endpoint", "http://127.0.0.1:9", "--json")
    assert code == FAILURE and err.startswith("codynamo: "), (code, err)
    assert "error" in json.loads(out)


def offline_endpoint():
    def ask(wanted, *arguments, **env):
        return json.loads(expect(wanted, "endpoint", *arguments, env=environment(**env)))
    assert ask(OK, "--region", "eu-central-1") == {
        "url": "https://dynamodb.eu-central-1.amazonaws.com", "signing_region": "eu-central-1",
        "signing_service": "dynamodb"}
    assert ask(OK, AWS_REGION="cn-north-1")["url"] == "https://dynamodb.cn-north-1.amazonaws.com.cn"
    custom = ask(OK, "--region", "us-east-1", AWS_ENDPOINT_URL_DYNAMODB="http://127.0.0.1:8000")
    assert custom["url"] == "http://127.0.0.1:8000"
    assert "error" in ask(USAGE)
    assert "error" in ask(USAGE, "--region", "no region")


def offline_endpoint_rules():
    def ask(wanted, *arguments, **env):
        return json.loads(expect(wanted, "endpoint", "--region", "us-east-1", *arguments,
                                 env=environment(**env)))
    for arguments, env, host in (
            (["--fips"], {}, "dynamodb-fips.us-east-1.amazonaws.com"),
            (["--dualstack"], {}, "dynamodb.us-east-1.api.aws"),
            (["--fips", "--dualstack"], {}, "dynamodb-fips.us-east-1.api.aws"),
            ([], {"AWS_USE_FIPS_ENDPOINT": "true"}, "dynamodb-fips.us-east-1.amazonaws.com"),
            (["--fips=false"], {"AWS_USE_FIPS_ENDPOINT": "true"},
             "dynamodb.us-east-1.amazonaws.com"),
            (["--account-id", "111111111111"], {}, "111111111111.ddb.us-east-1.amazonaws.com"),
            ([], {"AWS_ACCOUNT_ID": "111111111111"}, "111111111111.ddb.us-east-1.amazonaws.com"),
            (["--account-id", "1", "--account-id-endpoint-mode", "disabled"], {},
             "dynamodb.us-east-1.amazonaws.com"),
            (["--account-id", "1"], {"AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled"},
             "dynamodb.us-east-1.amazonaws.com"),
            (["--resource-arn", "arn:aws:dynamodb:eu-west-1:2:table/t",
              "--resource-arn", "arn:aws:dynamodb:us-east-1:3:table/t"], {},
             "3.ddb.us-east-1.amazonaws.com"),
            # The first is the request's own table, the others are a batch.
            (["--resource-arn", "a-table",
              "--resource-arn", "arn:aws:dynamodb:eu-west-1:2:table/t",
              "--resource-arn", "arn:aws:dynamodb:us-east-1:3:table/t"], {},
             "dynamodb.us-east-1.amazonaws.com"),
            ([], {"AWS_ACCOUNT_ID": " 111111111111\t"},
             "111111111111.ddb.us-east-1.amazonaws.com"),
            ([], {"AWS_ACCOUNT_ID": " "}, "dynamodb.us-east-1.amazonaws.com")):
        assert ask(OK, *arguments, **env)["url"] == f"https://{host}", (arguments, env)
        assert ask(OK, *arguments, "--json", **env)["signing_region"] == "us-east-1"
    for arguments, env, words in (
            (["--fips", "--endpoint", "https://example.com"], {}, "FIPS"),
            (["--account-id-endpoint-mode", "required"], {}, "account id"),
            (["--account-id-endpoint-mode", "sometimes"], {}, "--account-id-endpoint-mode"),
            (["--account-id", ""], {}, "account id"),
            ([], {"AWS_USE_DUALSTACK_ENDPOINT": "perhaps"}, "AWS_USE_DUALSTACK_ENDPOINT"),
            ([], {"AWS_MAX_ATTEMPTS": "0"}, "AWS_MAX_ATTEMPTS"),
            ([], {"AWS_REGION": "a\r\nb"}, "region"),
            (["--endpoint", "https://example.com\r\nX: y"], {}, "endpoint")):
        refused = ask(USAGE, *arguments, **env)
        assert refused["kind"] == "invalid argument" and words in refused["error"], refused


def offline_sign_takes_crlf_and_refuses_garbage():
    how = ["sign", "--service", "service", "--region", "us-east-1", "--time", "20150830T123600Z"]
    unix = b"POST / HTTP/1.1\nHost: example.amazonaws.com\n\nbody"
    signed = json.loads(expect(OK, *how, stdin=unix))
    assert signed == json.loads(expect(OK, *how, stdin=b"\r\n".join(unix.split(b"\n"))))
    assert set(signed) == {"canonical_request", "string_to_sign", "signature", "signed_headers",
                           "authorization"}
    dated = unix.replace(b"\n\n", b"\nX-Amz-Date: 20150830T123600Z\n\n")
    assert signed == json.loads(expect(OK, *how[:-2], stdin=dated))
    for bad in (b"", b"nonsense", b"GET / HTTP/1.1\n\n", b"GET / HTTP/1.1\nno colon\n\n",
                b"GET / HTTP/1.1\n folded\n\n"):
        expect(USAGE, *how, stdin=bad)
    expect(USAGE, *how[:-1], "yesterday", stdin=unix)
    expect(FAILURE, *how, stdin=unix, env=environment(AWS_ACCESS_KEY_ID=""))


def offline_usage_errors_are_json_when_asked_for():
    for arguments in (["--json"], ["get", "--json"], ["--json", "no-such-verb"],
                      ["credentials", "--no-such-option", "--json"]):
        words = json.loads(expect(USAGE, *arguments))
        assert words["error"] and words["kind"] == "invalid argument", words
    assert expect(USAGE, "get") == b""
    assert b"Exit codes" in expect(OK, "--help", "--json")


CHAIN = ["environment", "profile", "web identity", "container", "instance metadata"]


def offline_credentials_of_the_environment():
    env = environment(AWS_ACCOUNT_ID="123456789012", AWS_REGION="eu-west-1",
                      AWS_CREDENTIAL_EXPIRATION="2099-01-02T03:04:05Z")
    words = json.loads(expect(OK, "credentials", "--json", env=env))
    chain = words.pop("chain")
    assert words == {
        "provider": "environment", "access_key_id": "****************MPLE",
        "account_id": "123456789012", "expiration": "2099-01-02T03:04:05Z",
        "region": "eu-west-1", "region_source": "AWS_REGION"}, words
    assert [link["provider"] for link in chain] == CHAIN, chain
    assert [link["said"] for link in chain] == ["found"] + 4 * ["not asked"], chain
    plain = expect(OK, "credentials", "--region", "us-west-2", env=env).decode()
    assert "environment: found" in plain and "us-west-2" in plain and "--region" in plain, plain
    assert "AKIDEX" not in plain, plain


def offline_credentials_of_a_profile():
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        document = json.dumps({"Version": 1, "AccessKeyId": "AKIDPROC", "SecretAccessKey": SECRET})
        config.write_text("[profile p]\nregion = us-west-2\ncredential_process = printf '%s' '"
                          + document + "'\n[profile broken]\ncredential_process = exit 3\n")
        env = environment(AWS_CONFIG_FILE=str(config))
        words = json.loads(expect(OK, "credentials", "--json", "--profile", "p", env=env))
        assert words["provider"] == "profile" and words["access_key_id"].endswith("PROC"), words
        assert words["expiration"] is None and words["account_id"] is None, words
        assert (words["region"], words["region_source"]) == ("us-west-2", "profile"), words
        assert words["chain"][0] == {"provider": "profile", "said": "found"}, words
        words = json.loads(expect(FAILURE, "credentials", "--json", "--profile", "broken", env=env))
        assert "exit code 3" in words["error"] and "provider" not in words, words
        assert [link["said"] for link in words["chain"][1:]] == 3 * ["not asked"], words
        config.write_text("[profile p\n")
        words = json.loads(expect(FAILURE, "credentials", "--json", "--profile", "p", env=env))
        assert str(config) + '" line 1' in words["error"], words


class FakeMetadata(http.server.BaseHTTPRequestHandler):
    """Knows a region, or nonsense, and nothing else."""
    region = b"eu-north-1"

    def reply(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        self.reply(200, b"token")

    def do_GET(self):
        known = self.path == "/latest/meta-data/placement/region"
        self.reply(200, self.region) if known else self.reply(404)

    def log_message(self, *_):
        pass


def offline_region_of_the_instance():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), FakeMetadata) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        env = environment(AWS_EC2_METADATA_DISABLED="", AWS_EC2_METADATA_SERVICE_ENDPOINT=
                          f"http://127.0.0.1:{server.server_port}")
        ask = lambda wanted=OK, **more: json.loads(
            expect(wanted, "credentials", "--json", env={**env, **more}))
        words = ask()
        assert (words["region"], words["region_source"]) == (
            "eu-north-1", "instance metadata"), words
        assert ask(AWS_REGION="us-east-2")["region_source"] == "AWS_REGION"
        # Sources that need a region have that one.
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "config"
            config.write_text("[default]\nrole_arn = arn:aws:iam::123456789012:role/r\n"
                              "credential_source = Environment\n")
            words = json.loads(expect(
                FAILURE, "credentials", "--json", "--profile", "default",
                env={**env, "AWS_CONFIG_FILE": str(config), "AWS_CA_BUNDLE": "/no/such/bundle"}))
            assert "/no/such/bundle" in words["error"], words
        FakeMetadata.region = b"not a region"
        words = ask()
        assert words["region"] is None and words["provider"] == "environment", words
        server.shutdown()


def offline_no_credentials_at_all():
    env = environment(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    words = json.loads(expect(FAILURE, "credentials", "--json", env=env))
    assert words["region"] is None and words["region_source"] is None, words
    assert [link["provider"] for link in words["chain"]] == CHAIN, words
    assert all(link["said"].startswith("not configured: ") for link in words["chain"]), words
    assert all(name + ": not configured: " in words["error"] for name in CHAIN), words
    code, out, err = run("credentials", env=env)
    assert code == FAILURE and b"AWS_ACCESS_KEY_ID is not set" in out, out
    assert err == "codynamo: no credentials found\n", err
    # And so for whoever would have signed with them.
    code, out, err = run("get", "key", "--table", "cache", "--region", "us-east-1", "--endpoint",
                         "http://127.0.0.1:9", "--json", env=env)
    assert code == FAILURE and "AWS_ACCESS_KEY_ID is not set" in json.loads(out)["error"], out


def vectors_of_the_public_suite():
    folder = Path(os.environ.get("CODYNAMO_VECTORS") or DEFAULT_VECTORS)
    if not (folder / "sigv4_suite.json").exists():
        print("skipped: no vectors")
        sys.exit(SKIPPED)
    cases = json.loads((folder / "sigv4_suite.json").read_text(encoding="utf-8"))
    for case in cases:
        context = case["context"]
        assert context["secret"] == SECRET
        env = environment(AWS_ACCESS_KEY_ID=context["access_key"])
        if context["token"]:
            env["AWS_SESSION_TOKEN"] = context["token"]
        when = context["timestamp"].replace("-", "").replace(":", "")
        flags = [flag for flag, given in (("--no-normalize-path", not context["normalize"]),
                                          ("--omit-session-token", context["omit_session_token"]),
                                          ("--sign-body", context["sign_body"])) if given]
        signed = json.loads(expect(OK, "sign", "--service", context["service"], "--region",
                                   context["region"], "--time", when, *flags,
                                   stdin=case["request"].encode(), env=env))
        for ours, theirs in (("canonical_request", "header_canonical_request"),
                             ("string_to_sign", "header_string_to_sign"),
                             ("signature", "header_signature")):
            assert signed[ours] == case[theirs], f"{case['name']}: {ours}: {signed[ours]!r}"
        assert signed["authorization"] in case["header_signed_request"], case["name"]
    print(f"{len(cases)} cases")


def vectors_of_the_endpoint_rules():
    folder = Path(os.environ.get("CODYNAMO_VECTORS") or DEFAULT_VECTORS)
    cases = json.loads((folder / "endpoint_vectors.json").read_text(encoding="utf-8"))
    options = (("Region", "--region"), ("Endpoint", "--endpoint"), ("AccountId", "--account-id"),
               ("AccountIdEndpointMode", "--account-id-endpoint-mode"),
               ("ResourceArn", "--resource-arn"))
    passed = 0
    for case in cases:
        params = case["params"]
        if params.get("IsSearchOperation"):
            continue
        arguments = [word for name, option in options if name in params
                     for word in (option, params[name])]
        for arn in params.get("ResourceArnList", []):
            arguments += ["--resource-arn", arn]
        arguments += [f"--fips={str(params.get('UseFIPS', False)).lower()}",
                      f"--dualstack={str(params.get('UseDualStack', False)).lower()}"]
        wanted = case["expect"]
        got = json.loads(expect(USAGE if "error" in wanted else OK, "endpoint", *arguments))
        if "error" not in wanted:
            assert got["url"] == wanted["url"].rstrip("/"), (case["id"], got)
            region = wanted.get("signing_region", params.get("Region", ""))
            assert got["signing_region"] == region, (case["id"], got)
        passed += 1
    print(f"{passed} cases passed; {len(cases) - passed} skipped: vector search")
    assert passed >= 371, passed


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


def main():
    if GROUP == "live" and not os.environ.get("CODYNAMO_TEST_ENDPOINT"):
        print("skipped: CODYNAMO_TEST_ENDPOINT is not set")
        return SKIPPED
    failed = 0
    for name, test in list(globals().items()):
        if name.startswith(GROUP + "_"):
            try:
                test()
                print(f"ok      {name}")
            except AssertionError as why:
                failed += 1
                print(f"FAILED  {name}: {why}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
