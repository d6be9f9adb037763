# SPDX-License-Identifier: BSL-1.0
"""Processes that share one SSO token, whose refresh token can be used once."""
import concurrent.futures
import hashlib
import http.server
import json
import tempfile
import threading
import time
from pathlib import Path

from program import OK, environment, expect

PROCESSES = 4
ROUNDS = 15


class FakeIdentityCenter(http.server.ThreadingHTTPServer):
    """SSO and its OIDC server in one. Takes a moment for a refresh, so that others come in between."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lock = threading.Lock()
        self.number = 0
        self.refreshed = 0
        self.refused = 0

    def tokens(self):
        """The access token and the refresh token that are valid now."""
        return f"access-{self.number:08}", f"refresh-{self.number:08}"

    def refresh(self, token):
        """The next tokens; None when this one was used before."""
        with self.lock:
            if token != self.tokens()[1]:
                self.refused += 1
                return None
            self.number += 1
            self.refreshed += 1
            return self.tokens()


class Answers(http.server.BaseHTTPRequestHandler):
    def reply(self, status, document):
        text = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        tokens = self.server.refresh(body["refreshToken"])
        time.sleep(0.05)
        if tokens is None:
            return self.reply(400, {"error": "invalid_grant", "error_description": "used before"})
        self.reply(200, {"accessToken": tokens[0], "refreshToken": tokens[1], "expiresIn": 3600,
                         "tokenType": "Bearer"})

    def do_GET(self):
        if self.headers.get("x-amz-sso_bearer_token") != self.server.tokens()[0]:
            return self.reply(401, {"message": "Session token not found or invalid"})
        self.reply(200, {"roleCredentials": {
            "accessKeyId": "AKIDSSO", "secretAccessKey": "k" * 40, "sessionToken": "s" * 40,
            "expiration": int(time.time() + 3600) * 1000}})

    def log_message(self, *_):
        pass


def expired_token(server):
    access, refresh = server.tokens()
    return {"startUrl": "https://example.awsapps.com/start", "region": "us-east-1",
            "accessToken": access, "refreshToken": refresh, "expiresAt": "2020-01-01T00:00:00Z",
            "clientId": "client", "clientSecret": "c" * 40,
            "registrationExpiresAt": "2099-01-01T00:00:00Z"}


def offline_sso_processes_share_a_token_that_refreshes_once():
    with tempfile.TemporaryDirectory() as folder, FakeIdentityCenter() as server, \
            concurrent.futures.ThreadPoolExecutor(PROCESSES) as pool:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config = Path(folder) / "config"
        config.write_text("[default]\nsso_session = s\nsso_account_id = 123456789012\n"
                          "sso_role_name = role\n[sso-session s]\nsso_region = us-east-1\n"
                          "sso_start_url = https://example.awsapps.com/start\n")
        cached = Path(folder) / ".aws" / "sso" / "cache" / (hashlib.sha1(b"s").hexdigest() + ".json")
        cached.parent.mkdir(parents=True)
        env = environment(AWS_CONFIG_FILE=str(config), HOME=folder, AWS_ACCESS_KEY_ID="",
                          AWS_SECRET_ACCESS_KEY="", AWS_ENDPOINT_URL_SSO=server.url,
                          AWS_ENDPOINT_URL_SSO_OIDC=server.url)
        ask = lambda _: json.loads(expect(OK, "credentials", "--json", env=env))
        for _ in range(ROUNDS):
            cached.write_text(json.dumps(expired_token(server)))
            for words in pool.map(ask, range(PROCESSES)):
                assert words["access_key_id"].endswith("SSO"), words
        kept = json.loads(cached.read_text())
        assert (kept["accessToken"], kept["refreshToken"]) == server.tokens(), "not the last ones"
        assert server.refreshed == ROUNDS, server.refreshed
        server.shutdown()
    print(f"        {ROUNDS} refreshes, {server.refused} of them also asked for by others")
