#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""tools/mutate.py: which places of a source it changes, what it excludes, and a run over a small
project whose tests kill some of the mutants, hang at one and miss others."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from mutation.exclusions import Exclusions, load_equivalents  # noqa: E402
from mutation.judge import filter_for, likely_tests, runs_of  # noqa: E402
from mutation.points import points_of  # noqa: E402
from mutation.tree import STAGES  # noqa: E402


def changes(body, file="src/a.cpp"):
    """{kind: what is changed, in order} in the body of a function."""
    found = {}
    for point in points_of(file, f"void f() {{\n{body}\n}}\n"):
        found.setdefault(point.kind, []).append(point.change)
    return found


class Points(unittest.TestCase):
    def test_comparisons_and_boundaries(self):
        self.assertEqual(changes("const bool less = a < b;"),
                         {"comparison": ["< -> >="], "boundary": ["< -> <="]})
        self.assertEqual(changes("const bool same = a == b;"), {"comparison": ["== -> !="]})

    def test_conditions(self):
        self.assertEqual(changes("if (ready) {}"), {"condition": ["ready -> !(ready)"]})
        self.assertEqual(changes("if (!ready) {}"), {"condition": ["! -> "]})
        self.assertEqual(changes("while (a && b) {}")["condition"],
                         ["a && b -> !(a && b)", "&& -> ||"])
        self.assertEqual(changes("if (const auto x = f(); x.ok()) {}"),
                         {"condition": ["x.ok() -> !(x.ok())"]})
        # The negated comparison is the other comparison; a declaration cannot be negated.
        self.assertNotIn("condition", changes("if (a == b) {}"))
        self.assertNotIn("condition", changes("if (const auto x = f()) {}"))

    def test_arithmetic(self):
        self.assertEqual(changes("const int x = a + b * c;"),
                         {"arithmetic": ["+ -> -", "* -> /"]})
        self.assertEqual(changes("const int x = -a; int* p = &x;"), {})
        self.assertEqual(changes("const int x = f(++i);"), {"arithmetic": ["++ -> --"]})

    def test_statements(self):
        for dropped in ("f(x);", "a.b->c(1, {2, 3});", "x = y;", "*p = y;", "x[1] = y;",
                        "co_await f();", "throw f();", "break;", "a::b<int>(c);", "(void)f();"):
            self.assertEqual(changes(dropped).get("statement"), ["dropped"], dropped)
        for kept in ("int x;", "foo bar;", "foo bar(1);", "foo<int> bar;", "foo<a<b>> bar{1};",
                     "foo& bar = x;", "foo* bar = x;", "a::b c;", "const auto x = y;",
                     "using namespace x;", ";"):
            self.assertNotIn("statement", changes(kept), kept)

    def test_statements_below_a_condition_and_in_a_lambda(self):
        self.assertEqual(changes("if (const auto p = q.lock()) p->go();"),
                         {"statement": ["dropped"]})
        self.assertEqual(changes("const auto g = [&] { go(); };"), {"statement": ["dropped"]})
        self.assertEqual(changes("g([&] { go(); }, x);")["statement"], ["dropped", "dropped"])

    def test_return_values(self):
        self.assertEqual(changes("return true;"), {"return": ["return true -> return false"]})
        self.assertEqual(changes("co_return x;"), {"return": ["co_return x -> co_return {}"]})
        for nothing in ("return;", "return {};", "return std::nullopt;"):
            self.assertEqual(changes(nothing), {}, nothing)

    def test_nothing_outside_of_the_code_of_functions(self):
        for text in ("// a < b\n", "/* x = y; */", 'auto s = "a < b; c = d;";',
                     'auto s = R"(x = y; \'a < b)";', "auto c = ';';", "static_assert(a < b);",
                     "if constexpr (a < b) {}"):
            self.assertEqual(changes(text), {}, text)
        for text in ("#define F(a, b) \\\n    a < b\n", "#if A < B\n#endif\n",
                     "struct s {\n    int x = 1 + 2;\n    void f();\n    s();\n};\n",
                     "template <class T> class c;\n", "namespace n { int x = 3 + 4; }\n"):
            self.assertEqual(points_of("src/a.cpp", text), [], text)

    def test_a_function_in_a_class_is_code(self):
        text = "namespace n {\nstruct s {\n    int f() const noexcept { return x_ + 1; }\n};\n}\n"
        self.assertEqual([point.change for point in points_of("src/a.hpp", text)],
                         ["return x_ + 1 -> return {}", "+ -> -"])

    def test_lines_and_columns(self):
        [point] = [p for p in points_of("src/a.cpp", "void f() {\n  // x\n  go();\n}\n")]
        self.assertEqual((point.line, point.column, point.source), (3, 3, "go();"))
        self.assertEqual(point.key, "src/a.cpp:3:3 statement: dropped")


class Excluded(unittest.TestCase):
    def reasons(self, body, file="src/a.cpp", equivalents=None):
        rules = Exclusions(equivalents or {})
        return [rules.reason(point) for point in points_of(file, f"void f() {{\n{body}\n}}\n")]

    def test_by_rule(self):
        self.assertEqual(self.reasons("keys.reserve(n + 1);"), ["optimization only"] * 2)
        self.assertEqual(self.reasons('env.log.write(level, "x" + y);'),
                         ["logging", "words of messages"])
        self.assertEqual(self.reasons("log_failure(layer, words);"), ["logging"])
        self.assertEqual(self.reasons('reasons += "no";'), ["words of messages"] * 2)
        self.assertEqual(self.reasons("x = 1;"), [None])
        self.assertEqual(self.reasons("x = 1;", "src/aws/endpoint_data.cpp"), ["generated tables"])

    def test_a_failure_is_not_only_its_message(self):
        self.assertEqual(self.reasons('if (a) throw error("not " + a);'),
                         [None, None, "words of messages"])

    def test_by_list(self):
        listed = {("src/a.cpp", "x = 1;", "dropped"): "y is always x"}
        self.assertEqual(self.reasons("x = 1;", equivalents=listed), ["equivalent: listed"])
        self.assertEqual(self.reasons("x = 2;", equivalents=listed), [None])

    def test_the_list_that_is_checked_in_can_be_read_and_is_about_this_tree(self):
        for file, line, _ in load_equivalents(ROOT / "tools" / "mutation" / "equivalents.txt"):
            lines = [each.strip() for each in (ROOT / file).read_text().splitlines()]
            self.assertIn(line, lines, file)

    def test_a_line_of_the_list_that_is_incomplete(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "equivalents.txt"
            path.write_text("# words\n\nsrc/a.cpp ## x = 1; ## dropped\n")
            with self.assertRaisesRegex(ValueError, ":3: expected FILE ## LINE"):
                load_equivalents(path)


class Order(unittest.TestCase):
    def test_tests_that_are_named_like_the_source_or_include_its_header_come_first(self):
        unit = STAGES[0]
        self.assertIn("timer_wheel_test", likely_tests(ROOT, unit, "src/cache/timer_wheel.cpp"))
        self.assertIn("memory_store_test", likely_tests(ROOT, unit, "src/cache/memory_store.cpp"))
        self.assertEqual(likely_tests(ROOT, unit, "src/nothing_like_it_xyz.cpp"), [])

    def test_filters(self):
        self.assertEqual(runs_of([]), [[]])
        self.assertEqual([run[-1] for run in runs_of(["a", "b"])], ["[#a],[#b]", "~[#a]~[#b]"])
        self.assertEqual(filter_for("a, b*"), "a\\, b\\*")


FILES = {
    "CMakePresets.json": """{"version": 6, "configurePresets": [{"name": "dev", "generator": "Ninja",
        "binaryDir": "${sourceDir}/build/dev", "cacheVariables": {"CMAKE_BUILD_TYPE": "Debug"}}]}
""",
    "CMakeLists.txt": """cmake_minimum_required(VERSION 3.25)
project(codynamo LANGUAGES CXX)
add_library(codynamo src/net/a.cpp)
target_include_directories(codynamo PUBLIC src)
""" + "".join(f"add_subdirectory(tests/{stage.folder})\n" for stage in STAGES),
    ".gitignore": "build/\n__pycache__/\n",
    "src/net/a.hpp": "#pragma once\nint clamp(int x);\nbool wait_for(int x);\nint unused(int x);\n",
    "src/net/a.cpp": """#include "net/a.hpp"
int clamp(int x) {
    return x < 10 ? x : 10;
}
bool wait_for(int x) {
    while (x != 0) x = 0;
    return true;
}
int unused(int x) {
    return x - 1;
}
""",
    "tests/net/a_test.cpp": """#include "net/a.hpp"
#include <cstdio>
int main() {
    std::puts("<TestCase name=\\"waits &amp; ends\\" tags=\\"\\">");
    return wait_for(3) ? 0 : 1;
}
""",
    "tests/unit/a_test.cpp": """#include "net/a.hpp"
#include <cstdio>
int main() {
    std::puts("<TestCase name=\\"clamps\\">");
    return clamp(3) == 3 && clamp(11) == 10 ? 0 : 1;
}
""",
}


NO_TESTS = "int main() {}\n"
NO_HOOK = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}


class Project(unittest.TestCase):
    """Three functions: the tests of one are good, one can hang, one has no tests."""

    @classmethod
    def setUpClass(cls):
        if not all(map(shutil.which, ("cmake", "ninja", "git", "c++"))):
            raise unittest.SkipTest("no cmake, ninja, git or c++")
        folder = tempfile.TemporaryDirectory(prefix="codynamo-mutate.")
        cls.addClassCleanup(folder.cleanup)
        cls.root = Path(folder.name) / "project"
        for name, text in FILES.items():
            cls.write(name, text)
        for stage in STAGES:
            source = f"tests/{stage.folder}/a_test.cpp"
            if source not in FILES:
                cls.write(source, NO_TESTS)
            cls.write(f"tests/{stage.folder}/CMakeLists.txt",
                      f"add_executable({stage.program} a_test.cpp)\n"
                      f"target_link_libraries({stage.program} PRIVATE codynamo)\n")
        for name in ("tools/mutate.py", "cmake/mutation.cmake"):
            cls.write(name, (ROOT / name).read_text())
        shutil.copytree(ROOT / "tools" / "mutation", cls.root / "tools" / "mutation",
                        ignore=shutil.ignore_patterns("__pycache__", "equivalents.txt"))
        cls.git("init", "--quiet")
        cls.commit()
        cls.out = cls.mutate("--count", "100", "--seed", "7", "--timeout", "2")

    @classmethod
    def write(cls, name, text):
        path = cls.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    @classmethod
    def git(cls, *arguments):
        return subprocess.run(["git", "-C", cls.root, *arguments], check=True, text=True,
                              capture_output=True, env=NO_HOOK).stdout

    @classmethod
    def commit(cls):
        cls.git("add", "--all")
        cls.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "x")

    @classmethod
    def mutate(cls, *arguments, code=0):
        done = subprocess.run([sys.executable, cls.root / "tools" / "mutate.py", *arguments],
                              capture_output=True, text=True, timeout=280,
                              env={**os.environ, "CCACHE_DISABLE": "1"})
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def records(self):
        lines = (self.root / "build" / "mutate" / "results.jsonl").read_text().splitlines()
        return {record["key"]: record for record in map(json.loads, lines) if "key" in record}

    def outcome(self, key):
        record = self.records()[f"src/net/a.cpp:{key}"]
        return record["outcome"], record["by"]


class Run(Project):
    def test_outcomes(self):
        self.assertEqual(self.outcome("3:14 comparison: < -> >="), ("killed", "unit: clamps"))
        self.assertEqual(self.outcome("3:14 boundary: < -> <="), ("survived", ""))
        self.assertEqual(self.outcome("6:14 comparison: != -> =="), ("survived", ""))
        self.assertEqual(self.outcome("6:20 statement: dropped"), ("killed", "net: time limit"))
        self.assertEqual(self.outcome("7:5 return: return true -> return false"),
                         ("killed", "net: waits & ends"))
        self.assertEqual(self.outcome("10:14 arithmetic: - -> +"), ("survived", ""))

    def test_the_score_by_folder_and_the_survivors_are_printed(self):
        self.assertIn("seed 7", self.out)
        self.assertRegex(self.out, r"src/net +4 +4 +50\.0 % +0\n")
        self.assertIn("survivors: 4\n", self.out)
        self.assertIn("src/net/a.cpp:10:14 arithmetic: - -> +\n      return x - 1;", self.out)

    def test_the_users_tree_is_as_it_was(self):
        self.assertEqual(self.git("status", "--porcelain"), "")
        for name, text in FILES.items():
            self.assertEqual((self.root / name).read_text(), text, name)
        tree = self.root / "build" / "mutate" / "tree"
        self.assertEqual((tree / "src/net/a.cpp").read_text(), FILES["src/net/a.cpp"])

    def test_nothing_is_measured_twice_and_a_torn_line_does_no_harm(self):
        path = self.root / "build" / "mutate" / "results.jsonl"
        lines = path.read_text().splitlines()
        lost = json.loads(lines[-1])["key"]
        path.write_text("\n".join(lines[:-1]) + '\n{"key": "sr')
        out = self.mutate("--count", "100", "--seed", "7", "--timeout", "2")
        self.assertIn("survivors: 4\n", out)
        self.assertEqual(path.read_text().count('"outcome"'), len(lines) - 1)
        self.assertIn(lost, self.records())

    def test_a_seed_draws_a_sample_that_a_larger_count_extends(self):
        def drawn(*arguments):
            return self.mutate("--list", *arguments).splitlines()[::2]
        self.assertEqual(drawn("--seed", "7"), drawn("--seed", "7"))
        self.assertNotEqual(drawn("--seed", "7"), drawn("--seed", "8"))
        self.assertEqual(drawn("--seed", "7", "--files", "src/net/a*"), drawn("--seed", "7"))
        self.assertEqual({line.split(" ")[0].split(":")[1]
                          for line in drawn("--at", "src/net/a.cpp:10")}, {"10"})

    def test_wrong_usage(self):
        self.assertIn("--count is 0: at least 1", self.mutate("--count", "0", code=2))
        self.assertIn("--at is 'x': FILE:LINE", self.mutate("--at", "x", code=2))
        self.assertIn("nothing to change in src/aws/*", self.mutate("--files", "src/aws/*", code=1))
        self.assertIn("git rev-parse", self.mutate("--commit", "nowhere", code=1))


class Again(Project):
    def test_a_new_test_kills_what_survived(self):
        text = NO_TESTS
        self.write("tests/simulation/a_test.cpp", '#include "net/a.hpp"\n'
                   "int main() { return unused(1) == 0 ? 0 : 1; }\n")
        self.commit()
        out = self.mutate("--again", "--timeout", "2")
        self.write("tests/simulation/a_test.cpp", text)
        self.commit()
        self.assertIn("killed by simulation: exit code 1: src/net/a.cpp:10:14", out)
        self.assertRegex(out, r"src/net +[12] +[23]")

    def test_unchanged_tests_that_fail_are_an_error(self):
        text = FILES["tests/unit/a_test.cpp"]
        self.write("tests/unit/a_test.cpp", text.replace("== 3", "== 4"))
        self.commit()
        out = self.mutate("--count", "1", code=1)
        self.write("tests/unit/a_test.cpp", text)
        self.commit()
        self.assertIn("unit_tests fails without a change: 'clamps' (exit code 1)", out)


if __name__ == "__main__":
    unittest.main()
