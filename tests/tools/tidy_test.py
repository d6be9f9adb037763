#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""tools/tidy.py, in a small tree with a clang-tidy of the test's own, which finds the word FAULT in a
unit and in the headers that it includes."""
import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "tools" / "tidy.py"

CLANG_TIDY = """#!/usr/bin/env python3
import os, re, sys
from pathlib import Path
if "--version" in sys.argv:
    sys.exit(print("LLVM version " + os.environ.get("TIDY_VERSION", "16.0.4")))
unit = sys.argv[-1]
with open("checked", "a") as file:
    print(unit, file=file)
text = Path(unit).read_text()
texts = [text] + [Path("src", name).read_text() for name in re.findall('#include "(.*)"', text)]
if any("FAULT" in each for each in texts):
    sys.exit(print(unit + ": warning: FAULT") or 1)
"""


class Tidy(unittest.TestCase):
    def setUp(self):
        self.root = Path(tempfile.mkdtemp(prefix="codynamo-tidy."))
        self.addCleanup(shutil.rmtree, self.root)
        (self.root / "tools").mkdir()
        shutil.copy(SCRIPT, self.root / "tools")
        self.program = self.root / "clang-tidy"
        self.program.write_text(CLANG_TIDY)
        self.program.chmod(0o755)
        subprocess.run(["git", "init", "-q", self.root], check=True)
        self.write(".clang-tidy", "Checks: '*'\n")
        self.write("src/a.hpp", "int a();\n")
        self.write("src/a.cpp", '#include "a.hpp"\n')
        self.write("src/b.hpp", "int b();\n")
        self.write("src/c.cpp", '#include "a.hpp"\n#include "b.hpp"\n')
        self.compiles("src/a.cpp", "src/c.cpp")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def compiles(self, *names):
        build = self.root / "build" / "dev"
        build.mkdir(parents=True, exist_ok=True)
        (build / "compile_commands.json").write_text(json.dumps(
            [{"file": str(self.root / name), "command": f"c++ -I{self.root}/src -c {name}"}
             for name in names]))

    def run_tidy(self, *arguments, code=0, **environment):
        """The units that were checked, and what was printed."""
        checked = self.root / "checked"
        checked.write_text("")
        done = subprocess.run([self.root / "tools" / "tidy.py", "--clang-tidy", self.program, *arguments],
                              env={**os.environ, **environment}, capture_output=True, text=True)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return sorted(checked.read_text().split()), done.stdout + done.stderr

    def checked(self, *arguments, **how):
        return self.run_tidy(*arguments, **how)[0]

    def test_everything_once_and_then_what_changed(self):
        self.assertEqual(self.checked(), ["src/a.cpp", "src/c.cpp"])
        self.assertEqual(self.checked(), [])
        self.write("src/a.cpp", '#include "a.hpp"\nint x;\n')
        self.assertEqual(self.checked("--list"), [])
        self.assertEqual(self.checked(), ["src/a.cpp"])
        self.assertEqual(self.checked("--all"), ["src/a.cpp", "src/c.cpp"])

    def test_a_header_by_way_of_one_unit(self):
        self.checked()
        self.write("src/a.hpp", "int a(int);\n")
        self.assertEqual(self.checked(), ["src/a.cpp"])
        self.write("src/b.hpp", "int b(int);\n")
        self.assertEqual(self.checked(), ["src/c.cpp"])
        self.write("src/a.hpp", "int a();\n")
        self.write("src/c.cpp", '#include "b.hpp"\n#include "a.hpp"\n')
        self.assertEqual(self.checked(), ["src/c.cpp"])
        self.assertEqual(self.checked(), [])

    def test_what_is_not_clean_is_checked_again(self):
        self.write("src/b.hpp", "FAULT\n")
        units, words = self.run_tidy(code=1)
        self.assertEqual(units, ["src/a.cpp", "src/c.cpp"])
        self.assertIn("src/c.cpp: not clean", words)
        self.assertIn("1 of 2 units", words)
        self.assertEqual(self.checked(code=1), ["src/c.cpp"])
        self.write("src/b.hpp", "int b();\n")
        self.assertEqual(self.checked(), ["src/c.cpp"])
        self.assertEqual(self.checked(), [])

    def test_other_checks_or_another_program_begin_anew(self):
        self.checked()
        self.write(".clang-tidy", "Checks: 'bugprone-*'\n")
        self.assertEqual(self.checked(), ["src/a.cpp", "src/c.cpp"])
        self.assertEqual(self.checked(TIDY_VERSION="19.1.7"), ["src/a.cpp", "src/c.cpp"])
        self.assertEqual(self.checked(TIDY_VERSION="19.1.7"), [])

    def test_what_cannot_be_checked_is_an_error(self):
        self.write("src/d.hpp", "int d();\n")
        self.assertIn("includes src/d.hpp", self.run_tidy(code=1)[1])
        self.write("src/d.cpp", '#include "d.hpp"\n')
        self.assertIn("compiles no src/d.cpp", self.run_tidy(code=1)[1])
        self.compiles("src/a.cpp", "src/c.cpp", "src/d.cpp")
        self.assertEqual(self.checked(), ["src/a.cpp", "src/c.cpp", "src/d.cpp"])
        self.assertIn("run tools/install-dependencies.sh tidy",
                      self.run_tidy("--clang-tidy", "/nowhere", code=1)[1])
        shutil.rmtree(self.root / "build")
        self.assertIn("cmake --preset dev", self.run_tidy(code=1)[1])


if __name__ == "__main__":
    unittest.main()
