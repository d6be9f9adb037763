# SPDX-License-Identifier: BSL-1.0
"""Whether a test notices a change."""
import re
from pathlib import PurePosixPath

from .tree import STAGES, Failed


def likely_tests(folder, stage, file):
    """The test files of a stage that are named like a source or include its header."""
    stem = PurePosixPath(file).stem
    header = re.compile(rf'[/"<]{stem}\.hpp[">]')
    found = []
    for path in sorted((folder / "tests" / stage.folder).rglob("*_test.cpp")):
        name = path.stem.removesuffix("_test")
        if (name in stem or stem in name
                or header.search(path.read_text(encoding="utf-8", errors="replace"))):
            found.append(path.stem)
    return found


def runs_of(likely):
    """The filters of Catch2 for the runs of a program: the likely tests, then the others."""
    if not likely:
        return [[]]
    tags = [f"[#{name}]" for name in likely]
    return [["--filenames-as-tags", ",".join(tags)],
            ["--filenames-as-tags", "".join("~" + tag for tag in tags)]]


def filter_for(name):
    return re.sub(r'([\\,\[\]"*])', r"\\\1", name)


class Judge:
    def __init__(self, tree, timeout=None):
        self.tree, self.timeout = tree, timeout
        self.baseline = {}  # by folder: how long the unchanged tests took

    def measure(self):
        """Builds everything and runs the unchanged tests, which must pass."""
        for stage in STAGES:
            ending = self.tree.build_program(stage, mutated=False)
            if ending.code != 0:
                raise Failed(f"{stage.program} does not build:\n"
                             f"{ending.output.decode(errors='replace')[-4000:]}")
        for stage in STAGES:
            ending = self.tree.run_tests(stage, [], None)
            if ending.code != 0:
                raise Failed(f"{stage.program} fails without a change: '{ending.failing_test}' "
                             f"(exit code {ending.code}); see {self.tree.output}")
            self.baseline[stage.folder] = round(ending.seconds, 1)
        return self.baseline

    def limit(self, stage):
        # The machine may be busier than it was when the unchanged tests ran.
        return self.timeout or 60 + 4 * self.baseline[stage.folder]

    def judge(self, point):
        """("killed" | "survived" | "not compiled", by which test)."""
        self.tree.mutate(point)
        try:
            for stage in STAGES:
                if self.tree.build_program(stage).code != 0:
                    return "not compiled", ""
                for filters in runs_of(likely_tests(self.tree.folder, stage, point.file)):
                    killer = self.killer(stage, filters)
                    if killer:
                        return "killed", f"{stage.folder}: {killer}"
            return "survived", ""
        finally:
            self.tree.restore()

    def killer(self, stage, filters):
        """The test that fails, or None. A test must fail twice: some measure time."""
        for _ in range(2):
            ending = self.tree.run_tests(stage, filters, self.limit(stage))
            if ending.code is None:
                return "time limit"
            if ending.code == 0:
                return None
            name = ending.failing_test
            if not name:
                return f"exit code {ending.code}"
            again = self.tree.run_tests(stage, [filter_for(name)], self.limit(stage))
            if again.code != 0:
                return name
        return None
