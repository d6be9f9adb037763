# SPDX-License-Identifier: BSL-1.0
"""Who is compared, how each is started, and why one cannot be."""
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / "build/peers"


@dataclass(frozen=True)
class Client:
    name: str
    what: str
    # {bin}: our own binaries; {source}: the driver's folder; {installed}: what install.sh made.
    command: str
    warmup: float = 1
    # What names the server's URL.
    server_option: str = "--endpoint"

    def words(self, bin_folder):
        places = {"bin": bin_folder, "source": ROOT / "bench/peers" / self.name,
                  "installed": INSTALLED / self.name}
        return [word.format(**places) for word in self.command.split()]


def python(name, what):
    return Client(name, what, "{installed}/bin/python {source}/driver.py")


CLIENTS = [
    Client("codynamo", "codynamo's cache, one thread", "{bin}/codynamo-bench wire",
           server_option="--server"),
    Client("floor", "bare Asio and Beast, one constant request, answer thrown away",
           "{bin}/codynamo-floor", server_option="--server"),
    Client("wrk", "wrk, one thread, one constant request, value checked before and after only",
           "python3 {source}/driver.py"),
    Client("aws-sdk-go-v2", "AWS SDK for Go v2, goroutines", "{installed}/driver"),
    Client("aws-sdk-rust", "AWS SDK for Rust, Tokio's current-thread runtime, fat LTO",
           "{installed}/driver"),
    python("aiodynamo", "aiodynamo with aiohttp on uvloop"),
    python("boto3", "boto3's client; blocking: as many threads as gets in flight"),
    # V8 is not done compiling after a second.
    Client("aws-sdk-js", "AWS SDK for JavaScript v3, promises",
           "node {installed}/driver.mjs", warmup=5),
    python("pynamodb_mate", "pynamodb_mate's cache; blocking: as many threads as gets in flight"),
]


def skip_reason(client, bin_folder):
    """Why it cannot be run, or None."""
    program = client.words(bin_folder)[0]
    if client.name == "wrk":
        return None if shutil.which("wrk") else "wrk is not installed"
    if "{installed}" in client.command:
        why = INSTALLED / client.name / "why-not"
        if why.exists():
            return why.read_text(encoding="utf-8").strip()
        if not (INSTALLED / client.name / "installed").exists():
            return "not installed; tools/install-dependencies.sh peers does it"
    return None if shutil.which(program) else f"there is no {program}"


def environment():
    """Nothing of the user's own set-up, and nobody asks the machine who it is."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith("AWS_") and not name.lower().endswith("_proxy")}
    return {**kept, "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true", "NODE_NO_WARNINGS": "1"}


def own_version():
    done = subprocess.run(["git", "-C", ROOT, "describe", "--tags", "--always", "--dirty"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip() or "unknown"
