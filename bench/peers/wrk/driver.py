# SPDX-License-Identifier: BSL-1.0
"""wrk, one thread, one constant request. It measures in whole seconds, and looks at an answer's
status only; so its value is checked here, before and after. A first run of its is the warm-up."""
import base64
import json
import math
import re
import resource
import subprocess
import sys
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
import meter  # noqa: E402

# As long as what is sent by those who sign.
HEADERS = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Date": "20260101T000000Z",
    "X-Amz-Target": "DynamoDB_20120810.GetItem",
    "Authorization":
        "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/dynamodb/aws4_request, "
        "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=" + "0" * 64,
}


def value_is_right(options):
    body = json.dumps({"TableName": options.table, "Key": {"key": {"S": options.key}}})
    request = urllib.request.Request(options.endpoint + "/", body.encode(), HEADERS)
    with urllib.request.urlopen(request, timeout=10) as answer:
        item = json.load(answer)["Item"]
    return base64.b64decode(item["value"]["B"]) == meter.EXPECTED


def run(options, seconds):
    command = ["wrk", "--threads", "1", "--connections", str(options.concurrency), "--duration",
               f"{max(1, math.ceil(seconds))}s", "--script",
               str(Path(__file__).with_name("request.lua")), options.endpoint + "/", "--",
               options.table, options.key, "\n".join(f"{k}: {v}" for k, v in HEADERS.items())]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


options = meter.arguments()
right = value_is_right(options)
if options.warmup > 0:
    run(options, options.warmup)
cpu = meter.cpu_seconds(resource.RUSAGE_CHILDREN)
output = run(options, options.seconds)
cpu = meter.cpu_seconds(resource.RUSAGE_CHILDREN) - cpu
figures = json.loads(re.search(r"^RESULT (.*)", output, re.M)[1])
right = right and value_is_right(options)
failure = None if right else "another value"
if figures["errors"]:
    failure = f"{figures['errors']} errors"
version = subprocess.run(["wrk", "--version"], stdout=subprocess.PIPE, text=True).stdout
sys.exit(meter.report(options, re.match(r"wrk \S+|$", version)[0].replace("debian/", ""),
                      figures["seconds"], cpu, figures["latency_us"], figures["ops"],
                      figures["errors"], failure,
                      resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024))
