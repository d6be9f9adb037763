# SPDX-License-Identifier: BSL-1.0
"""The Python packages that some tests compare with, from the venv that
tools/install-dependencies.sh makes."""
import importlib.util
import os
import sys
from pathlib import Path


SKIPPED = 77


def run_where_installed(package, exit_code=SKIPPED):
    """Returns in the venv, or where there is none and `package` can be imported without; starts the
    script again to get there. Says what is missing, and ends the script, where there is neither.
    The venv goes first: it has the releases that the tests are about."""
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    python = Path(cache_home) / "codynamo" / "venv" / "bin" / "python"
    inside = Path(sys.prefix) == python.parent.parent
    if python.exists() and not inside:
        os.execv(python, [str(python), *sys.argv])
    if not importlib.util.find_spec(package):
        print(f"{'skipped: ' if exit_code == SKIPPED else ''}{package} is not installed; run "
              "tools/install-dependencies.sh test")
        sys.exit(exit_code)
