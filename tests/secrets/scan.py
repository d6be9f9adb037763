#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Looks for secrets in all that a run of the tests logged, threw and printed.

    scan.py TAP_FOLDER CTEST_FOLDER SECRETS_HEADER VECTORS
    scan.py --self-test SECRETS_HEADER

TAP_FOLDER holds what tests/support/tap.cpp and tapped.py wrote, CTEST_FOLDER the log of ctest itself. Exit code 1
when there is a secret, when there is nothing to look at, or when a whole run has left so little that
the tap must have been blind.
"""
import base64
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

# A run with so many processes was a run of everything.
WHOLE_RUN, WHOLE_LINES, WHOLE_EXCEPTIONS = 300, 10, 200
# What no text may hold, whichever key signed it. A message may well name the algorithm.
FORMS = [
    re.compile(rb"Credential=[^\s,]+/\d{8}/[\w-]+/[\w-]+/aws4_request"),
    re.compile(rb"Signature=[0-9a-f]{64}"),
    re.compile(rb"(?i)x-amz-security-token: ?[^\s\"]{8}"),
    re.compile(rb"(?i)x-amz-sso_bearer_token: ?[^\s\"]{8}"),
    re.compile(rb"(?i)x-aws-ec2-metadata-token: ?[^\s\"]{8}"),
    re.compile(rb"(?i)(proxy-)?authorization: ?[^\s\"]{8}"),
    re.compile(rb"//[^/\s:@\"]+:[^/\s:@\"]+@"),
]
VECTOR_KEYS = {"secret_access_key", "session_token", "aws_secret_access_key", "WebIdentityToken",
               "AWS_SECRET_ACCESS_KEY", "x-amz-security-token", "x-aws-ec2-metadata-token",
               "x-amz-sso_bearer_token"}


def listed_secrets(header):
    text = re.sub(r"//.*", "", header.read_text(encoding="utf-8"))
    found = {each for each in re.findall(r'"([^"\n]*)"', text) if len(each) >= 12}
    assert len(found) >= 7, f"{header}: the list of secrets is gone"
    return found


def vector_secrets(folder):
    """Those of the public credential vectors that cannot be mistaken for a word."""
    found = set()

    def walk(value, key):
        for name, inner in (value.items() if isinstance(value, dict)
                            else [(key, each) for each in value] if isinstance(value, list)
                            else []):
            walk(inner, name)
        if isinstance(value, str) and key in VECTOR_KEYS and len(value.strip()) >= 12:
            found.add(value.strip())
    file = folder / "credentials_vectors.json"
    if file.exists():
        walk(json.loads(file.read_text(encoding="utf-8")), "")
    return found


def needles(secrets):
    """Each secret as it is, as a URL and as base64 would have it, and either half of a long one."""
    for secret in secrets:
        forms = {secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
        if len(secret) >= 32:
            forms |= {secret[:len(secret) // 2], secret[len(secret) // 2:]}
        for form in forms:
            yield form.encode(), secret


def complaints(files, secrets):
    found = []
    for name, text in files:
        for needle, secret in needles(secrets):
            at = text.find(needle)
            if at >= 0:
                line = text.count(b"\n", 0, at) + 1
                found.append(f"{name}:{line}: the secret that begins with {secret[:4]!r}")
        for form in FORMS:
            for hit in form.finditer(text):
                line = text.count(b"\n", 0, hit.start()) + 1
                found.append(f"{name}:{line}: what looks like {form.pattern.decode()}")
    return found


def coverage(files):
    """What the tap has seen, and what is wrong with that."""
    text = b"\n".join(text for name, text in files if name.endswith(".log"))
    programs, lines, exceptions = (len(re.findall(rb"(?m)^" + kind, text))
                                   for kind in (b"program ", b"log ", b"exception "))
    words = f"{programs} processes, {lines} log lines, {exceptions} error texts"
    if programs == 0:
        return words, "no test program wrote anything: the tap does not work"
    if programs >= WHOLE_RUN and (lines < WHOLE_LINES or exceptions < WHOLE_EXCEPTIONS):
        return words, "a whole run has more to say: the tap is blind to something"
    return words, None


def read(folder, pattern):
    return [(path.name, path.read_bytes()) for path in sorted(folder.glob(pattern))]


def self_test(header):
    secrets = listed_secrets(header)
    some = sorted(secrets)[0]
    for bad in [*secrets, quote(some, safe=""), base64.b64encode(some.encode()).decode(),
                max(secrets, key=len)[-40:], "Authorization: AWS4-HMAC-SHA256 Credential=AK",
                "Credential=AK/20150830/us-east-1/dynamodb/aws4_request", "Signature=" + "0a" * 32,
                "x-amz-security-token: abcdefghij", "http://user:password@proxy:8080"]:
        assert complaints([("x", b"words\n" + bad.encode() + b"\n")], secrets), f"{bad} unnoticed"
    assert not complaints([("x", b"AWS4-HMAC-SHA256, access key AKIDEXAMPLE, http://host:80/\n")],
                          secrets)
    assert coverage([])[1] and coverage([("a.log", b"")])[1]
    one = b"program started\n"
    assert coverage([("a.log", one)])[1] is None
    assert coverage([("a.log", one * WHOLE_RUN)])[1]
    assert coverage([("a.log", one * WHOLE_RUN + b"log a\n" * WHOLE_LINES
                      + b"exception b\n" * WHOLE_EXCEPTIONS)])[1] is None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.log").write_bytes(one + some.encode())
        assert scan(Path(folder), Path(folder), header, Path(folder)) == 1
        (Path(folder) / "a.log").write_bytes(one)
        assert scan(Path(folder), Path(folder), header, Path(folder)) == 0
        # The same by a script's tap.
        subprocess.run([sys.executable, "-c", "import sys, tapped; tapped.write_down(sys.argv[1])",
                        some], cwd=header.parent, check=True,
                       env={**os.environ, "CODYNAMO_TEST_TAP": folder})
        assert scan(Path(folder), Path(folder), header, Path(folder)) == 1
    return 0


def scan(tap, ctest, header, vectors):
    secrets = listed_secrets(header) | vector_secrets(vectors)
    files = read(tap, "*.log")
    words, wrong = coverage(files)
    # ctest writes to the first name, and renames it when all tests have run.
    files += read(ctest, "LastTest.log.tmp*") or read(ctest, "LastTest*.log*")
    found = complaints(files, secrets) + ([wrong] if wrong else [])
    # Names of files and lines only: this output is searched itself the next time.
    print("\n".join(found))
    print(f"looked for {len(secrets)} secrets in {len(files)} files: {words}")
    return 1 if found else 0


def main(arguments):
    if arguments[:1] == ["--self-test"]:
        return self_test(Path(arguments[1]))
    return scan(*(Path(each) for each in arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
