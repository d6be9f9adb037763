#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Tests of the command-line program as a script sees it: arguments, stdin, stdout, exit code.

    cli_test.py PROGRAM offline|vectors|live DEFAULT_VECTORS

Functions named offline_…, vectors_… and live_… of the modules beside this one are the tests of
their group.
"""
import os
import sys

import live
import offline
import offline_credentials
import offline_input
import offline_messages
import offline_sso
import vectors
from program import GROUP, SKIPPED
from server_identity import print_server_at  # its folder is on the path thanks to program


def main():
    if GROUP == "live" and not os.environ.get("CODYNAMO_TEST_ENDPOINT"):
        print("skipped: CODYNAMO_TEST_ENDPOINT is not set")
        return SKIPPED
    if GROUP == "live":
        print_server_at(os.environ["CODYNAMO_TEST_ENDPOINT"])
    failed = 0
    for module in (offline, offline_credentials, offline_input, offline_messages, offline_sso, vectors,
                   live):
        for name, test in list(vars(module).items()):
            if name.startswith(GROUP + "_"):
                try:
                    test()
                    print(f"ok      {name}")
                except AssertionError as why:
                    failed += 1
                    print(f"FAILED  {name}: {why}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
