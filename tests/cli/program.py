# SPDX-License-Identifier: BSL-1.0
"""Runs the command-line program as a script would: arguments, stdin, stdout, exit code."""
import os
import subprocess
import sys
import tempfile
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
