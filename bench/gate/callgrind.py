# SPDX-License-Identifier: BSL-1.0
"""Reads what callgrind wrote: instructions of each function itself, and who allocates."""
import re
from collections import Counter
from pathlib import PurePosixPath

# What a program gets memory by. The C++ ones are called by the functions one wants to name.
ALLOCATOR = re.compile(r"operator new\b|(malloc|calloc|realloc|aligned_alloc|posix_memalign"
                       r"|memalign|_mid_memalign.*)$")
COST = re.compile(r"[-+*\d]\S* \d+$")
NAME = re.compile(r"\((\d+)\)(?: (.*))?$")


def without_arguments(name):
    """Template and call arguments of a demangled name, which are mostly noise, as <…> and nothing.
    What operators are called by stays: operator<, operator(), operator->."""
    out, depth, at = [], 0, 0
    while at < len(name):
        kept = None if depth else re.compile(
            r"operator(\(\)|<=>|<<=?|<=?|>>=?|>=?|->\*?)|\(anonymous namespace\)"
            r"|\{lambda\([^{}]*\)(#\d+)\}").match(name, at)
        if kept:
            out.append("{lambda" + kept[2] + "}" if kept[2] else kept[0])
            at = kept.end()
            continue
        each = name[at]
        if each in "<(":
            if not depth and each == "<":
                out.append("<…>")
            depth += 1
        elif each in ">)" and depth:
            depth -= name[at - 1] != "-"
        elif not depth:
            out.append(each)
        at += 1
    return "".join(out)


def short_name(name, library):
    """As a person would say it, and the same from build to build."""
    name = re.sub(r"('\d+)+$", "", name)  # levels of recursion
    if name.startswith("0x") or name in ("(below main)", "???"):
        # Its address would change with every update.
        return f"(no symbol) in {library}"
    name = re.sub(r"@+GLIBC\w*[\d.]+$", "", name)
    coroutine = " (coroutine)" if ".actor]" in name else ""
    name = re.sub(r" ?\[(clone|abi:)[^]]*\]| const$", "", name)
    name = re.sub(r" const$", "", without_arguments(name))
    # Templates have their result before the name.
    name = re.sub(r"(operator\S*?) ?<…>$", r"\1", name)
    name = re.sub(r"^.* (?=[^ ]*$)", "", name.replace("operator ", "operator\0")
                  .replace("anonymous namespace", "anonymous\0namespace"))
    return name.replace("\0", " ") + coroutine


def is_allocator(name):
    return ALLOCATOR.match(name) is not None


class Profile:
    """Instructions of functions themselves, and heap allocations by who asked for them."""

    def __init__(self):
        self.own, self.allocations = Counter(), Counter()

    @property
    def instructions(self):
        return sum(self.own.values())

    def __sub__(self, other):
        made = Profile()
        for name, mine, others in (("own", self.own, other.own),
                                   ("allocations", self.allocations, other.allocations)):
            difference = Counter(mine)
            difference.subtract(others)
            setattr(made, name, difference)
        return made


class Reader:
    """Names are written out once and are numbers from then on."""

    def __init__(self):
        self.functions, self.objects, self.short = {}, {}, {}

    @staticmethod
    def known(table, text):
        found = NAME.match(text)
        if not found:
            return text
        number, name = found.groups()
        if name is not None:
            table[number] = name
        return table[number]

    def name(self, function, library):
        key = function, library
        if key not in self.short:
            self.short[key] = short_name(function, PurePosixPath(library).name)
        return self.short[key]

    def read(self, lines):
        made = Profile()
        library = function = callee = callee_library = ""
        for line in lines:
            line = line.rstrip("\n")
            key, equals, value = line.partition("=")
            if not equals:
                if COST.match(line):
                    made.own[self.name(function, library)] += int(line.split()[1])
            elif key == "ob":
                library = self.known(self.objects, value)
            elif key == "fn":
                function = self.known(self.functions, value)
                callee_library = library
            elif key == "cob":
                callee_library = self.known(self.objects, value)
            elif key == "cfn":
                callee = self.known(self.functions, value)
            elif key == "calls":
                self.note_call(made, self.name(function, library),
                               self.name(callee, callee_library or library),
                               int(value.split()[0]))
                next(lines)  # what the call cost, which is not its caller's own
                callee_library = library
        return made

    @staticmethod
    def note_call(made, caller, callee, times):
        """Of operator new calling malloc calling itself, the outermost call counts."""
        if is_allocator(callee) and not is_allocator(caller):
            made.allocations[caller] += times


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return Reader().read(file)
