#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Every driver of the comparison that is installed here, against the fixed-answer server; and those
that check values against one that answers with another value.

    peers_drivers.py FOLDER      with codynamo-bench and codynamo-floor; 77 without nginx
"""
import base64
import http.server
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import clients  # noqa: E402

# codynamo compares with what its first get returned, and the floor looks at nothing.
UNCHECKED = {"codynamo", "floor"}
KEYS = {"ops", "errors", "seconds", "ops_per_s", "cpu_us_per_op", "allocations_per_op", "latency_us",
        "peak_rss_bytes"}


class Liar(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer = json.dumps({"Item": {
        "key": {"S": "1k"}, "value": {"B": base64.b64encode(b"another" * 100).decode()},
        "expire": {"N": "0"}, "update_ts": {"N": "1767225600"}}}).encode()

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_):
        pass


def check_comparison(bin_folder, names):
    """The command as a user gives it, short."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "peers.json")
        command = [bin_folder / "codynamo-bench", "peers", "--bin", bin_folder, "--rounds", "1",
                   "--seconds", "0.3", "--concurrency", "2", "--server", "canned",
                   "--json", output, "--only", *names]
        done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        assert done.returncode == 0, done.stdout
        document = json.loads(output.read_text(encoding="utf-8"))
    assert document["kind"] == "peers" and document["complete"] and not document["failed"]
    assert {each["client"] for each in document["results"]} == set(names), done.stdout
    for run in document["runs"]:
        found = run["figures"]
        assert KEYS <= found.keys() and found["ops"] > 0 and found["errors"] == 0, run
        assert {"p50", "p90", "p99", "p999", "max"} <= found["latency_us"].keys(), run
        assert 0 < found["latency_us"]["p50"] <= found["latency_us"]["max"], run
        assert found["cpu_us_per_op"] > 0 and found["peak_rss_bytes"] > 0, run
    assert all(each["version"] for each in document["clients"].values()), document["clients"]


def check_wrong_value(client, bin_folder, url, folder):
    command = [*client.words(bin_folder), client.server_option, url, "--table", "cache", "--key", "1k",
               "--concurrency", "2", "--warmup", "0.1", "--seconds", "0.2",
               "--json", str(Path(folder, "figures.json"))]
    done = subprocess.run(command, env=clients.environment(), stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 3 and "another value" in done.stderr, (client.name, done)


def main(bin_folder):
    if not shutil.which("nginx") or not shutil.which("taskset"):
        print("skipped: no nginx; tools/install-dependencies.sh bench installs it")
        return 77
    present = [each for each in clients.CLIENTS if not clients.skip_reason(each, bin_folder)]
    check_comparison(bin_folder, [client.name for client in present])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        for client in present:
            if client.name not in UNCHECKED:
                check_wrong_value(client, bin_folder, f"http://127.0.0.1:{server.server_port}",
                                  folder)
    print("checked:", ", ".join(client.name for client in present))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
