#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Rules of the house that a machine can check, over the text of the sources.

    check_rules.py ROOT        prints every breach as FILE:LINE: words; exit code 1 if there is one
    check_rules.py --self-test breaks each rule in a scratch tree and expects to be told
"""
import posixpath
import re
import sys
import tempfile
from pathlib import Path

FOLDERS = ["include", "src", "tests", "bench", "examples", "tools", "cmake", ".ci"]
SUFFIXES = {".hpp", ".cpp", ".py", ".sh", ".txt", ".cmake", ".in", "", ".go", ".rs", ".mjs", ".lua",
            ".toml"}
# Nowhere to put a comment in.
DATA = {".json", ".sum", ".mod"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
# From the ground upward. A file may include its own room and the rooms before it.
ROOMS = ["ground", "net", "aws", "dynamodb", "cache", "testing"]
GROUND = {"abi_check", "error", "environment", "exception_words", "export", "fork_count", "recycled"}
# Boost changes it without notice, and a public header is compiled with the user's Boost.
INTERNALS = re.compile(r"\b(?:asio|beast|json)::detail\b")
HEAVY = re.compile(r"^boost/(beast|asio/ssl)\b")
SOCKETS = re.compile(r"^boost/asio/(ip/|ssl|connect|read|write|basic_(stream_)?socket)")
# Versions 2 and 3 of Catch2 differ in headers and names.
CATCH_DOORS = {"tests/support/catch.hpp", "tests/main.cpp"}
PUBLIC_ASIO = {"boost/asio/awaitable.hpp"}
# Put together from pieces, or this file would break its own rule.
FORBIDDEN = [
    ("an absolute path of some machine",
     re.compile(r"(?<![\w.$}{*\])-])/(?:%s)/" % "|".join(["wor" + "k", "roo" + "t", "op" + "t",
                                                         "usr/loc" + "al", "usr/li" + "b"]))),
    ("the host of a registry",
     re.compile("|".join(["repo1?[.]mave" + "n", "py" + "pi[.]org", "deb[.]debia" + "n",
                          "proxy[.]golan" + "g", "registry[.]npmj" + "s",
                          "crates[.]i" + "o"]))),
    # Its terms have to be accepted by its user, which no script may do for them.
    ("a download of DynamoDB Local, or Maven",
     re.compile("|".join(["software[.]amazo" + "n[.]dynamodb", "dependency:cop" + "y-dep",
                          "dynamodb_local_lates" + "t", r"\bmv" + r"n\s"]))),
    ("Asio's erased completion handler, which is broken in Boost 1.81",
     re.compile("any_completion" + "_handler[<.]")),
    # CMake's lists break at them, and every test that follows goes missing from ctest.
    ("a bracket or semicolon in a test's name", re.compile(r'TEST_CASE\("[^"]*[];[]')),
]
# g++ 12 destroys it twice: an aggregate made from braces within a co_await expression, and so too
# where the braces are those of a default argument; T() is no aggregate initialisation.
AWAITED_BRACES = re.compile(
    r"co_await\b[^;{]*(?:[(,]\s*\{(?!\s*\})|(?<!size_t)(?<=[\w>])\{)")
DEFAULT_BRACES = re.compile(r"\b(?!call_options)\w+_(?:config|input|options) \w+ = \{\}")
# Others may have chosen the keys, so that they collide under a hash that everybody knows.
UNKEYED_HASH = re.compile(
    r"\b(?:std::|boost::)hash(?:<|_)|\bhash_(?:range|combine)\b"
    r"|\bunordered_\w*(?:map|set)<\s*(?:std::)?string\w*(?![^;{(]*\bkeyed_hash\b)")
# What a test gives out as a secret must be in the list that the logs are searched for.
SECRET = re.compile(r"(?i)(?:secret_?access_?key|session_?token|access_?token|refresh_?token"
                    r"|client_?secret|authorization_?token|bearer_?token)\b[\\\"' ]*[:=,]"
                    r"[\\\"' ]*([A-Za-z0-9/+=_.-]{12,})")
SECRETS_LIST = "tests/support/secrets.hpp"
# A test whose environment logs nothing hides what would be logged.
UNTAPPED = re.compile(r"^\s*(?:const )?(?:codynamo::)?environment \w+;")
# No message is made of these; the one place that sends a token is the signer.
TELLING = re.compile(r"(?:\berror\(|\bfail\(|log\.write\().*\b(?:secret_access_key|session_token"
                     r"|access_token|refresh_token|client_secret)\b(?!\"| is| holds)")


def files_of(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            # Corpora are data.
            if (path.is_file() and path.suffix in SUFFIXES | DATA
                    and not {"__pycache__", "corpus"} & set(path.parts)):
                yield path
    for path in sorted(root.glob("*")):
        if path.is_file() and path.suffix in SUFFIXES and path.name not in ("LICENSE", ".git"):
            yield path


def room_of(relative):
    """The room of a path under include/codynamo or src; None for everything else."""
    parts = Path(relative).parts
    if parts[:2] == ("include", "codynamo"):
        inner = parts[2:]
    elif parts[:1] == ("src",):
        inner = parts[1:]
    else:
        return None
    if len(inner) > 1 and inner[0] != "detail":
        return inner[0] if inner[0] in ROOMS else "cache"
    return "ground" if Path(inner[-1]).stem in GROUND else "cache"


class Tree:
    def __init__(self, root):
        self.root = root
        self.breaches = []
        self.includes = {}  # relative path: [(line number, name)]
        for path in files_of(root):
            text = path.read_text(encoding="utf-8", errors="replace")
            relative = path.relative_to(root).as_posix()
            self.check_text(relative, text.splitlines())
            self.check_secrets(relative, text)
            if path.suffix in (".hpp", ".cpp"):
                self.includes[relative] = [
                    (number, found[1]) for number, line in enumerate(text.splitlines(), 1)
                    if (found := INCLUDE.match(line))]

    def breach(self, where, line, words):
        self.breaches.append(f"{where}:{line}: {words}")

    def check_text(self, relative, lines):
        if (Path(relative).suffix not in DATA
                and not any("SPDX-License-Identifier: BSL-1.0" in line for line in lines[:3])):
            self.breach(relative, 1, "no SPDX line among the first three")
        for number, line in enumerate(lines, 1):
            for words, pattern in FORBIDDEN:
                if pattern.search(line):
                    self.breach(relative, number, words)
            if relative.startswith("include/") and INTERNALS.search(line):
                self.breach(relative, number, "a public header names Boost's internals")
        if relative.startswith(("include/", "src/")) and relative.endswith((".hpp", ".cpp")):
            self.check_code(relative, "\n".join(lines))
        if relative.endswith(".hpp") and not any(line == "#pragma once" for line in lines):
            self.breach(relative, 1, "no #pragma once")

    def check_secrets(self, relative, text):
        if relative.startswith("src/"):
            for number, line in enumerate(text.splitlines(), 1):
                if TELLING.search(line):
                    self.breach(relative, number, "a secret in a message")
        if not relative.startswith("tests/") or not relative.endswith((".cpp", ".hpp")):
            return
        listed = self.root / SECRETS_LIST
        known = listed.read_text(encoding="utf-8") if listed.exists() else ""
        for number, line in enumerate(text.splitlines(), 1):
            if UNTAPPED.search(line):
                self.breach(relative, number, "an environment without testing_support::tapped()")
            for found in SECRET.finditer(line):
                if re.search("[0-9A-Z]", found[1]) and found[1] not in known:
                    self.breach(relative, number, f"a secret that {SECRETS_LIST} does not list")

    def check_code(self, relative, text):
        code = re.sub(r"//.*|\"(?:\\.|[^\"\\])*\"", '""', text)
        for pattern, words in ((AWAITED_BRACES, "braces in a co_await expression; name the value"),
                               (DEFAULT_BRACES, "default argument {}: write T()"),
                               (UNKEYED_HASH, "an unkeyed hash of text: use keyed_hash")):
            for found in pattern.finditer(code):
                self.breach(relative, code.count("\n", 0, found.end()) + 1, words)

    def resolve(self, including, name):
        """The file of this tree that an include means, or None."""
        for folder in (posixpath.dirname(including), "include", "src"):
            candidate = posixpath.normpath(posixpath.join(folder, name))
            if candidate in self.includes:
                return candidate
        return None

    def check_direction(self):
        for relative, names in self.includes.items():
            room = room_of(relative)
            if room is None:
                continue
            for number, name in names:
                target = self.resolve(relative, name)
                if target is None:
                    continue
                other = room_of(target)
                if other is None:
                    self.breach(relative, number, f"the library includes {name} of the tests")
                elif ROOMS.index(other) > ROOMS.index(room):
                    self.breach(relative, number, f"{room} includes {name}, which is above it")
                if relative.startswith("include/") and target.startswith("src/"):
                    self.breach(relative, number, f"public header includes the private {name}")

    def check_asio(self):
        for relative, names in self.includes.items():
            room = room_of(relative)
            for number, name in names:
                if room and name == "boost/asio.hpp":
                    self.breach(relative, number, "all of Asio; include what is used")
                if name.startswith("catch2/") and relative not in CATCH_DOORS:
                    self.breach(relative, number, f"{name}: include support/catch.hpp")
                if room and room not in ("net", "testing") and SOCKETS.match(name):
                    self.breach(relative, number, f"{name}: sockets belong to net")
                if (relative.startswith("include/") and room != "testing"
                        and name.startswith("boost/asio") and name not in PUBLIC_ASIO):
                    self.breach(relative, number, f"public header includes {name}")

    def check_one_door(self):
        """Beast and Asio's TLS, directly or through private headers, reach one .cpp of src."""
        heavy = {relative for relative, names in self.includes.items()
                 if room_of(relative) and any(HEAVY.match(name) for _, name in names)}
        grown = True
        while grown:
            reached = {relative for relative, names in self.includes.items()
                       if room_of(relative)
                       and any(self.resolve(relative, name) in heavy for _, name in names)}
            grown = not reached <= heavy
            heavy |= reached
        for relative in sorted(heavy):
            if relative.startswith("include/"):
                self.breach(relative, 1, "public header reaches Beast or TLS")
        doors = sorted(relative for relative in heavy if relative.endswith(".cpp"))
        for door in doors[1:]:
            self.breach(door, 1, f"second file that reaches Beast or TLS; the first is {doors[0]}")
        for door in doors:
            if room_of(door) != "net":
                self.breach(door, 1, "Beast and TLS belong to net")

    def check(self):
        self.check_direction()
        self.check_asio()
        self.check_one_door()
        return self.breaches


SPDX = "// SPDX-License-Identifier: BSL-1.0\n"
HEADER = SPDX + "#pragma once\n"
GOOD = {
    "include/codynamo/error.hpp": HEADER,
    "include/codynamo/cache.hpp": HEADER + "#include <codynamo/dynamodb/client.hpp>\n",
    "include/codynamo/dynamodb/client.hpp":
        HEADER + "#include <codynamo/net/transport.hpp>\n#include <boost/asio/awaitable.hpp>\n",
    "include/codynamo/net/transport.hpp": HEADER + "#include <codynamo/error.hpp>\n",
    "src/net/stream.hpp": HEADER + "#include <boost/asio/ssl.hpp>\n",
    "src/net/stream.cpp": SPDX + '#include "stream.hpp"\n#include <boost/beast/http.hpp>\n',
    "src/net/pool.cpp":
        SPDX + "#include <codynamo/net/transport.hpp>\nif (co_await f(1)) {\n}\n"
        "co_await g([] { return 1; }, std::size_t{8}); // co_await f({1})\n"
        "std::unordered_set<std::string_view,\n    keyed_hash> x;\n",
}
# What is done to the good tree, and a word of the complaint that is expected.
BAD = [
    ("src/net/pool.cpp", "#include <boost/beast/core.hpp>\n", "second file"),
    ("src/net/pool.cpp", '#include "net/stream.hpp"\n', "second file"),
    ("src/net/pool.cpp", "#include <codynamo/dynamodb/client.hpp>\n", "above it"),
    ("include/codynamo/error.hpp", "#include <codynamo/cache.hpp>\n", "above it"),
    ("include/codynamo/cache.hpp", "#include <boost/asio/ip/tcp.hpp>\n", "sockets belong to net"),
    ("include/codynamo/cache.hpp", "#include <boost/asio/steady_timer.hpp>\n", "public header"),
    ("include/codynamo/net/transport.hpp", "#include <boost/beast.hpp>\n", "reaches Beast"),
    ("include/codynamo/error.hpp", "using f = asio::detail::frame;\n", "Boost's internals"),
    ("src/aws/x.cpp", SPDX + "std::hash<std::string_view>()(key);\n", "unkeyed"),
    ("src/aws/x.cpp", SPDX + "std::unordered_map<std::string,\n    keyed> x;\n", "unkeyed"),
    ("tests/x.cpp", SPDX + "#include <catch2/catch.hpp>\n", "support/catch.hpp"),
    ("include/codynamo/cache.hpp", '#include "../../src/net/stream.hpp"\n', "private"),
    ("src/dynamodb/client.cpp", SPDX + "#include <boost/asio.hpp>\n", "all of Asio"),
    ("src/aws/x.cpp", "int x;\n", "SPDX"),
    ("src/aws/x.hpp", SPDX, "pragma once"),
    ("src/aws/x.cpp", SPDX + "// /wor" + "k/main/x\n", "absolute path"),
    ("tools/x.sh", "# SPDX-License-Identifier: BSL-1.0\ncurl https://py" + "pi.org\n", "registry"),
    ("bench/x/package-lock.json", '{"resolved": "registry.npmj' + 's.org/x"}\n', "registry"),
    ("tools/x.sh", "# SPDX-License-Identifier: BSL-1.0\nmv" + "n -q dependency:list\n", "Maven"),
    ("bench/x.py", "# SPDX-License-Identifier: BSL-1.0\n'software.amazo" + "n.dynamodb'\n", "Maven"),
    ("tools/x.sh", "# SPDX-License-Identifier: BSL-1.0\ncurl $x/dynamodb_local_lates" + "t.zip\n",
     "DynamoDB Local"),
    ("bench/x/main.go", "package main\n", "SPDX"),
    ("src/aws/x.cpp", SPDX + "co_await f(\n    {1, 2});\n", "braces"),
    ("src/aws/x.cpp", SPDX + "co_await f(net::input{key}, 1);\n", "braces"),
    ("include/codynamo/net/transport.hpp", "void f(int a,\n  clear_options o = {});\n", "T()"),
    ("src/aws/x.cpp", SPDX + "asio::any_completion" + "_handler<void()> h;\n", "broken"),
    ("tests/x.cpp", SPDX + 'const char* json = "{\\"SessionToken\\":\\"abcDEF0123456789\\"}";\n',
     "does not list"),
    ("tests/x.cpp", SPDX + "    environment env;\n", "tapped"),
    ("src/aws/x.cpp", SPDX + 'throw error(errc::closed, "x" + who.session_token);\n', "a secret in"),
    ("tests/x.cpp", SPDX + 'TEST' + '_CASE("within [' + '0, 1)") {}\n', "test's name"),
]


def make_tree(folder, files):
    for name, text in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Tree(Path(folder)).check()


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        assert make_tree(folder, GOOD) == [], "complaints about a good tree"
    for name, addition, expected in BAD:
        with tempfile.TemporaryDirectory() as folder:
            breaches = make_tree(folder, {**GOOD, name: GOOD.get(name, "") + addition})
            assert any(expected in each for each in breaches), f"{addition!r} went unnoticed"
    print(f"{len(BAD)} breaches noticed")
    return 0


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    breaches = Tree(Path(arguments[0]).resolve()).check()
    print("\n".join(breaches) or "every rule is kept")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
