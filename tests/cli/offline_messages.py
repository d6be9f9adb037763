# SPDX-License-Identifier: BSL-1.0
"""Messages say what happened, to what, why, and what to do; also what was done by then."""
import json

from fake_server import FakeServer, response, service_error
from program import FAILURE, MISS, OK, USAGE, environment, expect, run


def place(server):
    return ["--table", "cache", "--region", "eu-west-1", "--endpoint", server.url]


def offline_unknown_verbs_are_named_with_those_there_are():
    for arguments, wanted in (
            (["foo"], "unknown verb 'foo'; verbs are get, set, rm, table, clear, clear-expired, "
                      "sign, endpoint, credentials; see codynamo --help"),
            (["--table", "t", "foo", "bar"], "unknown verb 'foo'; verbs are get, set, "),
            (["table", "foo"], "unknown verb 'table foo'; verbs of table are create, describe, "
                               "delete; see codynamo table --help"),
            ([], "a verb is missing; verbs are get, set, "),
            (["table"], "a verb is missing; verbs of table are create, "),
            (["--no-such"], "unknown option '--no-such'"),
            (["get", "k", "--no-such"], "unknown option '--no-such'; see codynamo get --help"),
            (["get", "k", "l"], "unexpected argument 'l'"),
            (["get"], "KEY is missing; see codynamo get --help"),
            (["set", "k", "1", "--ttl", "abc"],
             "--ttl: 'abc' is not a number from 0 to 1000000000"),
            (["clear", "--segments", "0"], "--segments: '0' is not a whole number from 1 to 64")):
        code, out, err = run(*arguments)
        assert code == USAGE and not out, (arguments, code, out)
        assert err.startswith("codynamo: " + wanted) and err.count("\n") == 1, (arguments, err)


def offline_version():
    assert expect(OK, "--version") == b"codynamo 0.1.0\n"


def offline_missing_table_says_where_and_how_to_create_it():
    def answer(_operation, _body):
        return service_error("ResourceNotFoundException", "Requested resource not found")
    with FakeServer(answer) as server:
        for verb in (["get", "k"], ["set", "k", "1"], ["rm", "k"], ["clear"], ["clear-expired"],
                     ["table", "describe"]):
            code, out, err = run(*place(server), *verb, "--json")
            assert code == FAILURE, (verb, code, err)
            for text in (err, json.loads(out)["error"]):
                for words in ("there is no table 'cache' in eu-west-1 at " + server.url,
                              "Requested resource not found", "codynamo table create"):
                    assert words in text, (verb, text)
            assert json.loads(out)["service_code"] == "ResourceNotFoundException"
        code, _, err = run(*place(server), "table", "delete")
        assert code == MISS and server.url in err, (code, err)


def offline_another_server_than_dynamodb():
    for status in ("404 Not Found", "405 Method Not Allowed", "301 Moved Permanently"):
        with FakeServer(lambda *_: response(b"", status, "text/html")) as server:
            code, _, err = run(*place(server), "get", "k")
            assert code == FAILURE, (status, err)
            assert "is this DynamoDB?" in err and "--endpoint" in err and server.url in err, err


def offline_no_value_says_under_which_key():
    def answer(operation, _body):
        return NOTHING_THERE if operation == "DeleteItem" else response({})
    with FakeServer(answer) as server:
        for verb in (["get", "a key"], ["rm", "a key"]):
            code, _, err = run(*place(server), *verb)
            assert code == MISS, (verb, code, err)
            assert err == "codynamo: no value under the key \"a key\" in table 'cache'\n", err


def offline_missing_region_names_the_option():
    for arguments in (["--table", "cache", "get", "k"], ["endpoint"],
                      ["--table", "cache", "--endpoint", "http://127.0.0.1:9", "get", "k"]):
        code, _, err = run(*arguments)
        assert code == USAGE and "AWS_REGION" in err and "--region" in err, (arguments, err)


def offline_lost_answers_of_a_write():
    """Whatever the verb: text and JSON say that the outcome is unknown, after how many attempts."""
    with FakeServer(lambda *_: FakeServer.CLOSE) as server:
        for verb, writes in ((["set", "k", "1"], True), (["rm", "k"], True), (["get", "k"], False)):
            code, out, err = run(*place(server), *verb, "--json")
            words = json.loads(out)
            assert code == FAILURE, (verb, code, err)
            assert words["attempts"] == 3 and "3 attempts" in err, (verb, words, err)
            assert words["outcome_unknown"] is writes, (verb, words)
            assert ("outcome unknown" in err) is writes, (verb, err)


# The answer to a delete whose condition is that there is an item.
NOTHING_THERE = service_error("ConditionalCheckFailedException", "The conditional request failed")


def deletes(keys, otherwise):
    """Erases these keys; the others get `otherwise`."""
    def answer(_operation, body):
        key = body["Key"]["key"]["S"]
        if key not in keys:
            return otherwise
        return response({}) if keys[key] else NOTHING_THERE
    return answer


def offline_rm_reports_what_it_did_before_it_failed():
    refusal = service_error("AccessDeniedException", "not this one")
    with FakeServer(deletes({"a": True, "b": False}, refusal)) as server:
        code, out, err = run(*place(server), "rm", "a", "b", "c", "d", "--json")
        words = json.loads(out)
        assert code == FAILURE, (code, err)
        expected = {"erased": ["a"], "missing": ["b"], "failed": ["c"], "unknown": [],
                    "not_tried": ["d"]}
        assert {name: words[name] for name in expected} == expected, words
        assert 'erased ["a"], missing ["b"], failed ["c"], not tried ["d"]' in err, err
        assert "not this one" in words["error"], words


def offline_rm_does_not_take_a_key_for_a_file():
    with FakeServer(deletes({"a": True, "b": True}, NOTHING_THERE)) as server:
        code, _, err = run(*place(server), "rm", "--json", "a", "b")
        assert code == USAGE and "--json: is 'a' a file or a key?" in err, (code, err)
        assert server.connections == 0
        assert json.loads(expect(OK, *place(server), "rm", "a", "b", "--json"))["erased"] == [
            "a", "b"]


def offline_endpoint_is_where_requests_go():
    """The host of the CONNECT that a get sends to its proxy, beside what the verb says."""
    import tempfile
    from pathlib import Path
    profiles = ("[profile account]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = x\n"
                "aws_account_id = 111111111111\nregion = us-west-2\n"
                "[profile off]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = x\n"
                "aws_account_id = 111111111111\nregion = us-west-2\n"
                "account_id_endpoint_mode = disabled\n"
                "[profile url]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = x\n"
                "region = us-west-2\nservices = s\n[services s]\ndynamodb =\n"
                "  endpoint_url = https://dynamodb.test\n")
    arn = "arn:aws:dynamodb:us-west-2:222222222222:table/cache"
    with FakeServer(lambda *_: FakeServer.CLOSE) as proxy, tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        config.write_text(profiles, encoding="utf-8")
        for arguments, env, host in (
                (["--region", "us-west-2"], {}, "dynamodb.us-west-2.amazonaws.com"),
                (["--profile", "account"], {}, "111111111111.ddb.us-west-2.amazonaws.com"),
                ([], {"AWS_PROFILE": "account", "AWS_ACCESS_KEY_ID": "",
                      "AWS_SECRET_ACCESS_KEY": ""}, "111111111111.ddb.us-west-2.amazonaws.com"),
                # The account of other credentials than those that are used.
                (["--profile", "account"], {"AWS_ACCOUNT_ID": "333333333333"},
                 "111111111111.ddb.us-west-2.amazonaws.com"),
                (["--profile", "off"], {}, "dynamodb.us-west-2.amazonaws.com"),
                (["--profile", "account"], {"AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled"},
                 "dynamodb.us-west-2.amazonaws.com"),
                (["--profile", "url"], {}, "dynamodb.test"),
                (["--profile", "account"], {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
                 "111111111111.ddb.us-west-2.api.aws"),
                (["--region", "us-west-2"], {"AWS_ACCOUNT_ID": "333333333333"},
                 "333333333333.ddb.us-west-2.amazonaws.com"),
                (["--profile", "account", "--table", arn], {},
                 "222222222222.ddb.us-west-2.amazonaws.com")):
            env = environment(AWS_CONFIG_FILE=str(config), HTTPS_PROXY=proxy.url, **env)
            url = json.loads(expect(OK, *arguments, "endpoint", env=env))["url"]
            assert url == f"https://{host}", (arguments, url)
            proxy.first_lines.clear()
            # The later --table counts where there are two.
            table = [] if "--table" in arguments else ["--table", "cache"]
            run(*arguments, *table, "get", "k", env=env)
            lines = set(proxy.first_lines)
            assert lines == {f"CONNECT {host}:443 HTTP/1.1"}, (arguments, lines)
