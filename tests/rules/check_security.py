#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""SECURITY.md promises only what a test shows: each `tests/FILE` "NAME" in it is a test that exists.

    check_security.py ROOT
"""
import re
import sys
from pathlib import Path


def tests_of(path):
    text = re.sub(r'"\s*\n\s*"', "", path.read_text(encoding="utf-8"))
    return set(re.findall(r'TEST_CASE\(\s*"([^"]*)"', text))


def main(root):
    text = re.sub(r"\s+", " ", (root / "SECURITY.md").read_text(encoding="utf-8"))
    complaints = [f"{file} does not exist" for file in re.findall(r"`(tests/[\w/.]+)`", text)
                  if not (root / file).exists()]
    cited = re.findall(r'`(tests/[\w/.]+)` "([^"]+)"', text)
    complaints += [f"{file} has no test \"{name}\"" for file, name in cited
                   if (root / file).exists() and name not in tests_of(root / file)]
    if len(cited) < 20:
        complaints.append(f"only {len(cited)} tests are named")
    print("\n".join(complaints) or f"{len(cited)} tests are named, and exist")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
