# SPDX-License-Identifier: BSL-1.0
"""What the program says of its arguments and its input, without a server."""
import json

from program import FAILURE, OK, USAGE, environment, expect, run


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
    for arguments in (["--json"], ["get", "--json"], ["no-such-verb", "--json"], ["--json=-"],
                      ["credentials", "--no-such-option", "--json"]):
        words = json.loads(expect(USAGE, *arguments))
        assert words["error"] and words["kind"] == "invalid argument", words
    assert expect(USAGE, "get") == b""
    assert b"Exit codes" in expect(OK, "--help", "--json")
