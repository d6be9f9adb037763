#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Whether the tests of all operations know every public operation.

    check_operations.py ROOT        compares the public headers with the tables of operations in
                                    tests/stress; exit code 1 if they differ
    check_operations.py --self-test takes one away on each side and expects to be told
"""
import re
import sys
from pathlib import Path

TABLES = "tests/stress/every_operation.cpp"
# A class, where it is declared, and the functions that have the table of its operations.
CLASSES = [
    ("cache", "include/codynamo/cache.hpp", ["cache_operations"]),
    ("dynamodb_backend", "include/codynamo/dynamodb_backend.hpp", ["backend_operations"]),
    ("client", "include/codynamo/dynamodb/client.hpp", ["item_operations", "table_operations"]),
]


def body_of(text, opening, closing):
    found = re.search(opening, text, re.MULTILINE)
    if not found:
        return ""
    rest = text[found.end():]
    return rest[:rest.index(closing)]


def operations_of(text, name):
    """The names of the class's public functions that return an awaitable."""
    body = body_of(text, rf"^class (?:\w+ )?{name} \{{$", "\n};")
    public = body.split("\nprivate:")[0]
    names = set()
    for found in re.finditer(r"\bboost::asio::awaitable<", public):
        at, depth = found.end(), 1
        while depth:
            depth += {"<": 1, ">": -1}.get(public[at], 0)
            at += 1
        if function := re.match(r"\s+(\w+)\(", public[at:]):
            names.add(function[1])
    return names


def named_in(text, functions):
    """The names in the tables that these functions return."""
    names = set()
    for function in functions:
        body = body_of(text, rf"^std::vector<operation> {function}\(\) \{{$", "\n}")
        names.update(re.findall(r'^ {8}\{"(\w+)",', body, re.MULTILINE))
    return names


def differences(headers, tables):
    for name, path, functions in CLASSES:
        declared, named = operations_of(headers[path], name), named_in(tables, functions)
        if not declared:
            yield f"{path}: no operations of {name} found"
        for one in sorted(declared - named):
            yield f"{TABLES}: no {one} of {name} in {' or '.join(functions)}"
        for one in sorted(named - declared):
            yield f"{path}: {name} has no {one}, which {TABLES} names"


def self_test(root):
    headers, tables = read(root)
    cases = [(headers, tables.replace('{"touch",', '{"touched",')),
             (headers, tables.replace('{"scan",', '{"query",'))]
    for _, path, _ in CLASSES:
        changed = dict(headers)
        changed[path] = changed[path].replace(" close(", " shut(")
        cases.append((changed, tables))
    for number, (some_headers, some_tables) in enumerate(cases):
        if not list(differences(some_headers, some_tables)):
            sys.exit(f"self-test: case {number} was not noticed")
    print(f"self-test: {len(cases)} differences noticed")


def read(root):
    headers = {path: (root / path).read_text(encoding="utf-8") for _, path, _ in CLASSES}
    return headers, (root / TABLES).read_text(encoding="utf-8")


def main():
    if sys.argv[1] == "--self-test":
        return self_test(Path(__file__).resolve().parents[2])
    wrong = list(differences(*read(Path(sys.argv[1]))))
    for one in wrong:
        print(one)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
