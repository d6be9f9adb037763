# SPDX-License-Identifier: BSL-1.0
"""The copy of the repository that is mutated, its build, and its test programs."""
import os
import re
import resource
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

# A mutant that allocates or writes without end fails before the machine does.
MEMORY_LIMIT = 8 << 30
FILE_LIMIT = 1 << 30
BUILD_SECONDS = 1800
TEST_CASE = re.compile(rb'<TestCase name="([^"]*)"')
# Says nothing about what was compiled.
MACHINE_TROUBLE = re.compile(rb"Killed signal terminated program \w+|No space left on device")
ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&apos;", "'"), ("&amp;", "&"))


@dataclass(frozen=True)
class Stage:
    folder: str  # of its sources, in tests/
    program: str  # the target, and the program's name
    variables: tuple = ()


STAGES = [
    Stage("unit", "unit_tests"),
    Stage("net", "net_tests"),
    Stage("net_memory", "net_memory_tests"),
    Stage("stress", "stress_tests"),
    # Six parts with as many seeds each: 1,020.
    Stage("simulation", "simulation_tests", (("CODYNAMO_SIMULATION_SEEDS", "170"),)),
    Stage("secrets", "memory_tests"),  # that what is secret is wiped
]


class Failed(Exception):
    """Nothing can be measured: the tree, the build or the unchanged tests are broken."""


@dataclass(frozen=True)
class Ending:
    code: int | None  # None: it took longer than the limit
    seconds: float
    output: bytes

    @property
    def failing_test(self):
        """The test case that was run last, by the XML that Catch2 writes; may be empty."""
        found = TEST_CASE.findall(self.output)
        name = found[-1].decode(errors="replace") if found else ""
        for entity, sign in ENTITIES:
            name = name.replace(entity, sign)
        return name


def limit_resources():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(command, seconds, output, limited=False, **options):
    """Its ending. Whatever it started is killed when it is over, or late."""
    began = time.monotonic()
    with open(output, "wb") as out:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
                                   preexec_fn=limit_resources if limited else None, **options)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
    return Ending(code, time.monotonic() - began, Path(output).read_bytes())


class Tree:
    """A git worktree in the folder `build`, used by this program only."""

    def __init__(self, root, build):
        self.root, self.build = root, build
        self.folder = build / "tree"
        # As deep as the development build, so that ccache knows the tests.
        self.binaries = self.folder / "build" / "mutate"
        self.home = build / "home"
        self.output = build / "output.txt"
        self.commit = ""
        self.changed = {}  # the files that are mutated at the moment, and their text

    def git(self, folder, *arguments):
        # Those of a hook would mean another repository.
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("GIT_")}
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True,
                              text=True, env=environment)
        if done.returncode:
            raise Failed(f"git {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def check_out(self, revision):
        self.commit = self.git(self.root, "rev-parse", "--verify", f"{revision}^{{commit}}")
        if (self.folder / ".git").exists():
            self.git(self.folder, "checkout", "--force", "--detach", self.commit)
        else:
            self.git(self.root, "worktree", "prune")
            self.git(self.root, "worktree", "add", "--detach", str(self.folder), self.commit)

    def read(self, file):
        return (self.folder / file).read_text(encoding="utf-8")

    def mutate(self, point):
        text = self.read(point.file)
        self.changed[point.file] = text
        (self.folder / point.file).write_text(
            text[:point.start] + point.replacement + text[point.end:], encoding="utf-8")

    def restore(self):
        for file, text in self.changed.items():
            (self.folder / file).write_text(text, encoding="utf-8")
        self.changed.clear()

    def environment(self):
        """Nothing of the user's own set-up: mutants do what they like with it."""
        self.home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("AWS_", "CODYNAMO_", "CCACHE_"))
                and not name.lower().endswith("_proxy")}
        vectors = os.environ.get("CODYNAMO_VECTORS") or str(self.root.parent / "shared/vectors")
        return {**kept, "HOME": str(self.home), "CODYNAMO_VECTORS": vectors,
                "AWS_EC2_METADATA_DISABLED": "true"}

    def configure(self):
        command = ["cmake", "--preset", "dev", "-B", self.binaries,
                   f"-DCMAKE_PROJECT_codynamo_INCLUDE={self.root / 'cmake' / 'mutation.cmake'}",
                   "-DCODYNAMO_BENCH=OFF", "-DCODYNAMO_EXAMPLES=OFF", "-DCODYNAMO_TOOLS=OFF",
                   "-DCODYNAMO_INSTALL=OFF"]
        ending = run(command, BUILD_SECONDS, self.output, cwd=self.folder)
        if ending.code != 0:
            raise Failed(f"cmake failed:\n{ending.output.decode(errors='replace')}")

    def build_program(self, stage, mutated=True):
        """Unchanged files come from ccache, if it is there; what is mutated is not put into it."""
        variables = {**os.environ, **({"CCACHE_READONLY": "1"} if mutated else {})}
        seconds = BUILD_SECONDS if mutated else None
        ending = run(["cmake", "--build", self.binaries, "-j1", "--target", stage.program], seconds,
                     self.output, env=variables)
        if trouble := MACHINE_TROUBLE.search(ending.output):
            raise Failed(f"{stage.program} was not built: {trouble[0].decode()}")
        return ending

    def run_tests(self, stage, filters, seconds):
        program = self.binaries / "tests" / stage.folder / stage.program
        command = [program, "--abort", "--reporter", "xml", *filters]
        return run(command, seconds, self.output, limited=True, cwd=self.build,
                   env={**self.environment(), **dict(stage.variables)})
