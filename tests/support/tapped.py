# SPDX-License-Identifier: BSL-1.0
"""The tap for tests that are scripts: what the programs under test printed is written down where
the search for secrets (tests/secrets/scan.py) finds it."""
import os
import sys
from pathlib import Path

FOLDER = os.environ.get("CODYNAMO_TEST_TAP")


def write_down(*texts):
    if not FOLDER:
        return
    # A tap that does not write must not go unnoticed.
    with open(Path(FOLDER) / (Path(sys.argv[0]).stem + ".log"), "ab") as file:
        for text in texts:
            file.write((text if isinstance(text, bytes) else text.encode()) + b"\n")


write_down("program started")
