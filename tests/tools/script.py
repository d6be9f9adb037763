# SPDX-License-Identifier: BSL-1.0
"""Runs scripts of tools/ with a cache folder and a PATH of the test's own."""
import contextlib
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USERS_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "codynamo"


def read_of(pid, name):
    """A file of /proc; empty when the process has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return (Path("/proc") / str(pid) / name).read_text()
    return ""


def is_alive(pid):
    return read_of(pid, "stat").rpartition(")")[2].split()[:1] not in ([], ["Z"], ["X"])


def children_of(pid):
    return [int(child) for child in read_of(pid, f"task/{pid}/children").split()]


def command_line_of(pid):
    return read_of(pid, "cmdline").replace("\0", " ")


class ScriptTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="codynamo-tools."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.cache = self.folder / "cache" / "codynamo"
        self.cache.mkdir(parents=True)
        self.programs = self.folder / "programs"
        self.programs.mkdir()
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(self.cache.parent),
                            "PATH": f"{self.programs}:{os.environ['PATH']}"}
        self.environment.pop("DYNAMODB_LOCAL_HOME", None)

    def program(self, name, text):
        """A program of the test's own, found before the system's."""
        path = self.programs / name
        path.write_text(text)
        path.chmod(0o755)

    def start(self, script, *arguments):
        """Its process, which may be waited for or stopped."""
        process = subprocess.Popen([str(ROOT / "tools" / script), *map(str, arguments)],
                                   env=self.environment, stdin=subprocess.DEVNULL, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=60)

    def run_script(self, script, *arguments, code=0):
        """What it printed to stdout and stderr."""
        process = self.start(script, *arguments)
        out, err = process.communicate(timeout=120)
        self.assertEqual(process.returncode, code, f"{arguments}: {out}{err}")
        return out, err
