# SPDX-License-Identifier: BSL-1.0
"""The measured loop over the ancestor, pynamodb_mate's cache, which blocks: a thread a lane, one
cache for all of them, with a connection for each. Its values are bytes here, as everywhere."""
import os
import sys
from importlib.metadata import version
from pathlib import Path

from pynamodb_mate.patterns.cache.backend.dynamodb import DynamoDBBackend

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python"))
import meter  # noqa: E402


class BytesCache(DynamoDBBackend[bytes]):
    def serialize(self, value):
        return value

    def deserialize(self, value):
        return value


options = meter.arguments()
os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = options.endpoint
cache = BytesCache(options.table, "us-east-1", create=False)
cache.Table.Meta.max_pool_connections = options.concurrency
loop = meter.Loop(options)
loop.run_threads(lambda: cache.get(options.key))
sys.exit(loop.report(", ".join(f"{name} {version(name)}"
                               for name in ("pynamodb_mate", "pynamodb"))))
