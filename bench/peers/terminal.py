# SPDX-License-Identifier: BSL-1.0
"""A line of progress on stderr that is written over and fits the terminal."""
import os
import sys


def columns():
    """COLUMNS, else what the terminal says, else 80."""
    try:
        said = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        said = 0
    if said > 0:
        return said
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except OSError:
        return 80


def show(text):
    """Nothing where stderr is no terminal; an empty text takes the line away."""
    if sys.stderr.isatty():
        print("\r\x1b[K" + text[:columns() - 1], end="", file=sys.stderr, flush=True)
