# SPDX-License-Identifier: BSL-1.0
"""Where the program finds credentials and the region, and what it says when it does not."""
import http.server
import json
import tempfile
import threading
from pathlib import Path

from program import FAILURE, OK, SECRET, environment, expect, run

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
