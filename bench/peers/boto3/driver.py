# SPDX-License-Identifier: BSL-1.0
"""The measured loop over boto3's client, which blocks: a thread a lane, one client for all of them,
with a connection for each."""
import sys
from pathlib import Path

import boto3
from botocore.config import Config

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
import meter  # noqa: E402

options = meter.arguments()
client = boto3.client("dynamodb", endpoint_url=options.endpoint,
                      config=Config(max_pool_connections=options.concurrency))
key = {"key": {"S": options.key}}
loop = meter.Loop(options)
loop.run_threads(lambda: client.get_item(TableName=options.table, Key=key)["Item"]["value"]["B"])
sys.exit(loop.report(f"boto3 {boto3.__version__}"))
