#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Writes the public endpoint rules and partitions into src/aws/endpoint_data.cpp.

    update-aws-data.py [--version X | --botocore FOLDER] [--check]

The source is the newest botocore, release X of it (both by pip), or an unpacked one: FOLDER is the
package's own folder, which holds data/ and __init__.py. --check writes nothing and exits with 1 when
the tree has other tables.

A rule set is translated for the interpreter in src/aws/rule_evaluator.cpp. Whatever that interpreter
does not know is an error here; nothing is dropped but the properties in IGNORED_PROPERTIES.
"""
import argparse
import gzip
import json
import re
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLES = "src/aws/endpoint_data.cpp"
HOW_TO_UPDATE = ("run tools/update-aws-data.py and tools/install-dependencies.sh test, run "
                 f"ctest --preset dev -R botocore, then commit {TABLES}")
SERVICES = {"dynamodb": "2012-08-10", "sts": "2011-06-15", "sso": "2019-06-10",
            "sso-oidc": "2019-06-10"}

# In the order of rule_parameter in rule_set.hpp, with the type of each.
PARAMETERS = {"Region": "string", "UseDualStack": "boolean", "UseFIPS": "boolean",
              "Endpoint": "string", "AccountId": "string", "AccountIdEndpointMode": "string",
              "ResourceArn": "string", "ResourceArnList": "stringArray",
              "IsSearchOperation": "boolean", "UseGlobalEndpoint": "boolean"}
SLOTS = 32
# What a function assigns, one slot each, in the order in which the interpreter writes them.
PARTITION = {"name": "string", "dnsSuffix": "string", "dualStackDnsSuffix": "string",
             "supportsFIPS": "boolean", "supportsDualStack": "boolean"}
ARN = {"partition": "string", "service": "string", "region": "string", "accountId": "string"}
URL = {"scheme": "string", "authority": "string", "path": "string"}
# fn: name in rule_function, types of the arguments, type or fields of the result
FUNCTIONS = {
    "isSet": ("is_set", ["any"], "boolean"),
    "not": ("negate", ["boolean"], "boolean"),
    "stringEquals": ("string_equals", ["string", "string"], "boolean"),
    "booleanEquals": ("boolean_equals", ["boolean", "boolean"], "boolean"),
    "isValidHostLabel": ("is_valid_host_label", ["string", "boolean"], "boolean"),
    "substring": ("substring", ["string", "number", "number", "boolean"], "string"),
    "uriEncode": ("uri_encode", ["string"], "string"),
    "aws.partition": ("partition_of", ["string"], PARTITION),
    "aws.parseArn": ("parse_arn", ["string"], ARN),
    "parseURL": ("parse_url", ["string"], URL),
}
# Functions that may give nothing: their result is there only where a condition has assigned it.
PARTIAL = {"substring", "uriEncode", "aws.parseArn", "parseURL"}
# Compares its arguments: botocore fails when one of them is not set.
COMPARISONS = {"stringEquals", "booleanEquals"}
# metricValues: what a client reports of itself in its User-Agent.
IGNORED_PROPERTIES = {"metricValues"}
NOTHING = 255


class Unknown(Exception):
    pass


def known(condition, where, sentence):
    if not condition:
        raise Unknown(f"{where}: {sentence}; teach it to src/aws/rule_evaluator.cpp and to this "
                      "script")


class Table(list):
    """Equal entries are kept once."""

    def index_of(self, entry):
        if entry not in self:
            self.append(entry)
        return self.index(entry)


class Scope:
    """The variables that a rule sees: those of its ancestors and its own conditions."""

    def __init__(self, other=None):
        self.slots = dict(other.slots) if other else {}  # name: slot, or {field: slot}
        self.types = dict(other.types) if other else {}  # slot: type
        self.set = set(other.set) if other else set()  # slots that have a value


class Translator:
    def __init__(self, service, rule_set, metadata):
        self.service = service
        known(rule_set["version"] in ("1.0", "1.1"), service,
              f"the version of the rule set is {rule_set['version']}")
        known(set(rule_set) <= {"version", "parameters", "rules", "serviceId"}, service,
              f"the rule set has {', '.join(sorted(rule_set))}")
        self.signing_name = metadata.get("signingName", metadata["endpointPrefix"])
        self.rules, self.leaves = [], 0
        self.calls, self.texts, self.schemes, self.lists = Table(), Table(), Table(), Table()
        self.free_slot, self.assigned = len(PARAMETERS), {}
        self.translate_rules(rule_set["rules"], self.parameters(rule_set["parameters"]))
        for table in (self.calls, self.texts, self.schemes):
            known(len(table) < NOTHING, service, f"a table has {len(table)} entries")
        self.conditions = [call for calls in self.lists for call in calls]

    def parameters(self, given):
        scope = Scope()
        for name, spec in given.items():
            where = f"{self.service}: parameter {name}"
            known(PARAMETERS.get(name) == spec["type"], where, f"unknown, of type {spec['type']}")
            known(spec.get("default", False) is False, where, f"the default {spec.get('default')}")
            slot = list(PARAMETERS).index(name)
            scope.slots[name] = slot
            scope.types[slot] = spec["type"]
            if "default" in spec:
                scope.set.add(slot)
        return scope

    def translate_rules(self, rules, scope):
        for rule in rules:
            index = len(self.rules)
            where = f"{self.service}: rule {index}"
            kind = rule["type"]
            known(kind in ("tree", "endpoint", "error"), where, f"the type {kind}")
            known(set(rule) <= {"conditions", "type", "documentation",
                                "rules" if kind == "tree" else kind}, where,
                  f"it has {', '.join(sorted(rule))}")
            inner = Scope(scope)
            calls = [self.condition(where, each, inner) for each in rule["conditions"]]
            row = {"kind": kind, "text": NOTHING, "scheme": NOTHING,
                   "conditions": self.lists.index_of(calls)}
            self.rules.append(row)
            if kind == "tree":
                self.translate_rules(rule["rules"], inner)
            elif kind == "error":
                row["text"] = self.text(where, rule["error"], inner)
            else:
                self.endpoint(where, row, rule["endpoint"], inner)
            row["end"] = len(self.rules)

    def endpoint(self, where, row, given, scope):
        known(not given.get("headers"), where, f"the headers {given.get('headers')}")
        known(set(given) <= {"url", "properties", "headers"}, where,
              f"the endpoint has {', '.join(sorted(given))}")
        row["text"] = self.text(where, given["url"], scope)
        properties = {name: value for name, value in given.get("properties", {}).items()
                      if name not in IGNORED_PROPERTIES}
        known(set(properties) <= {"authSchemes"}, where, f"the properties {sorted(properties)}")
        if not properties:
            return
        schemes = properties["authSchemes"]
        known(len(schemes) == 1 and schemes[0].get("name") == "sigv4" and
              set(schemes[0]) == {"name", "signingName", "signingRegion"}, where,
              f"the authSchemes {schemes}")
        row["scheme"] = self.schemes.index_of(
            (self.text(where, schemes[0]["signingName"], scope),
             self.text(where, schemes[0]["signingRegion"], scope)))

    def condition(self, where, given, scope):
        if given["fn"] == "getAttr":
            function, types, result = self.element(where, given, scope)
            arguments = types
        else:
            function, arguments, result = self.call(where, given, scope)
        slot = NOTHING
        if "assign" in given:
            slot = self.assign(where, given["assign"], result, scope)
        elif function == "is_set" and arguments[0][0] == "slot":
            scope.set.add(arguments[0][1])
        known(slot != NOTHING or not isinstance(result, dict), where,
              f"{given['fn']} without assign")
        return self.calls.index_of((function, slot, *arguments))

    def assign(self, where, name, result, scope):
        known(name not in scope.slots, where, f"{name} is assigned twice")
        fields = result if isinstance(result, dict) else {"": result}
        first = self.assigned.setdefault((name, *fields), self.free_slot)
        self.free_slot = max(self.free_slot, first + len(fields))
        known(self.free_slot <= SLOTS, where, f"{self.free_slot} variables")
        slots = {field: first + at for at, field in enumerate(fields)}
        scope.slots[name] = slots if isinstance(result, dict) else first
        for field, slot in slots.items():
            scope.types[slot] = fields[field]
            scope.set.add(slot)
        return first

    def call(self, where, given, scope):
        known(set(given) <= {"fn", "argv", "assign"}, where, f"a call has {sorted(given)}")
        known(given["fn"] in FUNCTIONS, where, f"the function {given['fn']}")
        function, types, result = FUNCTIONS[given["fn"]]
        known(len(given["argv"]) == len(types), where,
              f"{given['fn']} with {len(given['argv'])} arguments")
        arguments = []
        for argument, wanted in zip(given["argv"], types):
            operand, kind, is_set = self.operand(where, argument, scope)
            known(wanted in ("any", kind), where, f"{given['fn']} of a {kind}: {argument}")
            known(is_set or given["fn"] not in COMPARISONS, where,
                  f"{given['fn']} of what may not be set: {argument}")
            arguments.append(operand)
        return function, arguments, result

    def element(self, where, given, scope):
        """getAttr of a list, which is a call; that of a record is a slot."""
        path = re.fullmatch(r"\[(\d+)\]", given["argv"][1])
        operand, kind, _ = self.operand(where, given["argv"][0], scope)
        known(path and kind == "stringArray" and int(path[1]) < NOTHING, where,
              f"getAttr {given['argv']} as a condition")
        return "element", [operand, ("number", int(path[1]))], "string"

    def operand(self, where, given, scope):
        """(kind, value), the type, and whether it surely has a value."""
        if isinstance(given, bool):
            return ("boolean", int(given)), "boolean", True
        if isinstance(given, int):
            known(0 <= given < NOTHING, where, f"the number {given}")
            return ("number", given), "number", True
        if isinstance(given, str):
            return ("text", self.text(where, given, scope)), "string", True
        if set(given) == {"ref"}:
            slot = self.slot(where, given["ref"], "", scope)
            return ("slot", slot), scope.types[slot], slot in scope.set
        known("fn" in given and "assign" not in given, where, f"the argument {given}")
        if given["fn"] == "getAttr" and "ref" in given["argv"][0]:
            slot = self.slot(where, given["argv"][0]["ref"], given["argv"][1], scope)
            return ("slot", slot), scope.types[slot], True
        function, arguments, result = self.call(where, given, scope)
        known(isinstance(result, str), where, f"{given['fn']} as an argument")
        return (("call", self.calls.index_of((function, NOTHING, *arguments))), result,
                given["fn"] not in PARTIAL)

    def slot(self, where, name, field, scope):
        known(name in scope.slots, where, f"{name} is used and not assigned")
        slots = scope.slots[name]
        if not isinstance(slots, dict):
            slots = {"": slots}
        known(field in slots, where, f"{name}#{field}")
        return slots[field]

    def text(self, where, given, scope):
        """Index of a text with {SLOT} in place of {Name#field}."""
        if isinstance(given, dict):
            known(set(given) == {"ref"}, where, f"the text {given}")
            given = "{" + given["ref"] + "}"

        def numbered(match):
            slot = self.slot(where, *(match[1].split("#") + [""])[:2], scope)
            known(scope.types[slot] == "string" and slot in scope.set, where,
                  f"{match[0]} is no text, or may not be set")
            return f"{{{slot}}}"
        text = re.sub(r"\{([A-Za-z]+(?:#[A-Za-z]+)?)\}", numbered, given)
        known(not re.search(r"[{}]", re.sub(r"\{\d+\}", "", text)) and text.isascii()
              and text.isprintable() and not re.search(r"\{\d+\}", given), where,
              f"the text {given!r}")
        return self.texts.index_of(text)

    def rows(self):
        name = self.service.replace("-", "_")
        yield f"// {self.service} {SERVICES[self.service]}"
        yield f"constexpr std::string_view {name}_texts[] = {{"
        yield from (f"    {quoted(text)}," for text in self.texts)
        yield "};"
        yield f"constexpr rule_call {name}_calls[] = {{"
        for function, slot, *arguments in self.calls:
            operands = ", ".join(f"{{o::{kind}, {value}}}" for kind, value in arguments)
            yield f"    {{f::{function}, {slot}, {{{{{operands}}}}}}},"
        yield "};"
        yield f"constexpr std::uint8_t {name}_conditions[] = {{"
        yield from wrapped(str(call) for call in self.conditions)
        yield "};"
        if self.schemes:
            yield f"constexpr auth_scheme {name}_schemes[] = {{"
            yield from (f"    {{{signing_name}, {region}}}," for signing_name, region in self.schemes)
            yield "};"
        yield f"constexpr rule {name}_rules[] = {{"
        for row in self.rules:
            first = sum(len(calls) for calls in self.lists[:row["conditions"]])
            count = len(self.lists[row["conditions"]])
            yield (f"    {{k::{row['kind']}, {row['text']}, {row['scheme']}, {count}, {first}, "
                   f"{row['end']}}},")
        yield "};"
        yield ""

    def definition(self):
        name = self.service.replace("-", "_")
        schemes = f"{name}_schemes" if self.schemes else "{}"
        return (f"const rule_set {name}_rule_set = {{\n    {quoted(self.service)}, "
                f"{quoted(self.signing_name)}, {name}_rules, {name}_calls,\n"
                f"    {name}_conditions, {name}_texts, {schemes}}};")


def quoted(text):
    return json.dumps(text)


def wrapped(words):
    line = "   "
    for word in words:
        if len(line) + len(word) + 2 > 100:
            yield line
            line = "   "
        line += f" {word},"
    if line.strip():
        yield line


def prefixes_of(where, regex):
    """What the regions begin with, of a pattern like ^(us|eu)\\-\\w+\\-\\d+$."""
    shape = re.fullmatch(r"\^((?:[a-z]+|\\-|\((?:[a-z]+\|)*[a-z]+\))+)\\-\\w\+\\-\\d\+\$", regex)
    known(shape, where, f"the regionRegex {regex}")
    prefixes = [""]
    for part in re.findall(r"[a-z]+|\\-|\([a-z|]+\)", shape[1]):
        choices = part[1:-1].split("|") if part[0] == "(" else [part.replace("\\", "")]
        prefixes = [prefix + choice for prefix in prefixes for choice in choices]
    return prefixes


def partition_rows(data):
    known(data["version"] == "1.1", "partitions", f"the version {data['version']}")
    known(data["partitions"][0]["id"] == "aws", "partitions", "the first one is not aws")
    table = []
    for each in data["partitions"]:
        where = f"partition {each['id']}"
        outputs = each["outputs"]
        known(set(each) == {"id", "outputs", "regionRegex", "regions"} and
              set(outputs) == {*PARTITION, "implicitGlobalRegion"}, where, "its members")
        known(outputs["name"] == each["id"], where, f"the name {outputs['name']}")
        for region, own in each["regions"].items():
            known(set(own) <= {"description"}, where, f"the outputs of {region}")
        name = each["id"].replace("-", "_")
        for kind, words in (("prefixes", prefixes_of(where, each["regionRegex"])),
                            ("regions", each["regions"])):
            yield f"constexpr std::string_view {name}_{kind}[] = {{"
            yield from wrapped(map(quoted, words))
            yield "};"
        texts = [quoted(outputs[field]) for field, kind in PARTITION.items() if kind == "string"]
        flags = [json.dumps(outputs[field]) for field, kind in PARTITION.items()
                 if kind == "boolean"]
        table.append(f"    {{{', '.join(texts + flags)},\n     {name}_prefixes, {name}_regions}},")
    yield "constexpr partition partition_table[] = {"
    yield from table
    yield "};"
    yield ""


def read(path, opened=open):
    try:
        with opened(path, "rt", encoding="utf-8") as file:
            return file.read()
    except (OSError, EOFError, UnicodeError, zlib.error) as error:
        raise Unknown(f"cannot read {path}: {error}") from error


def version_of(botocore):
    if not (botocore / "__init__.py").is_file():
        raise Unknown(f"{botocore} is not the package's own folder: it has no __init__.py; name "
                      "the one that holds data/ and __init__.py")
    found = re.search(r"^__version__ = ['\"]([\d.]+)['\"]", read(botocore / "__init__.py"),
                      re.MULTILINE)
    known(found, botocore / "__init__.py", "it names no version such as 1.2.3")
    return found[1]


def tables_of(botocore):
    def load(name):
        for path, opened in ((botocore / "data" / name, open),
                             (botocore / "data" / f"{name}.gz", gzip.open)):
            if path.exists():
                try:
                    return json.loads(read(path, opened))
                except ValueError as error:
                    raise Unknown(f"{path} is not JSON: {error}") from error
        raise Unknown(f"{botocore / 'data' / name} does not exist, nor with .gz")
    version = version_of(botocore)
    sets = [Translator(service, load(f"{service}/{api}/endpoint-rule-set-1.json"),
                       load(f"{service}/{api}/service-2.json")["metadata"])
            for service, api in SERVICES.items()]
    lines = ["// SPDX-License-Identifier: BSL-1.0",
             f"// Made by tools/update-aws-data.py from botocore {version}; not to be edited.",
             "// clang-format off",
             '#include "aws/endpoint_data.hpp"', "",
             "namespace codynamo::aws::detail {", "namespace {", "",
             "using f = rule_function;", "using o = operand_kind;", "using k = rule_kind;", ""]
    lines += partition_rows(load("partitions.json"))
    for each in sets:
        lines += each.rows()
    lines += ["} // namespace", "",
              f"const std::string_view endpoint_data_version = {quoted(version)};", ""]
    lines += ["std::span<const partition> partitions() noexcept {", "    return partition_table;",
              "}", ""]
    for each in sets:
        lines += [each.definition(), ""]
    lines.append("} // namespace codynamo::aws::detail")
    return version, "\n".join(lines) + "\n"


def download(version, folder):
    wanted = "botocore" if version is None else f"botocore=={version}"
    done = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps",
                           "--only-binary", ":all:", "--disable-pip-version-check", "-d", folder,
                           wanted], check=False)
    if done.returncode != 0:
        sys.exit(f"cannot download {wanted} with {sys.executable} -m pip; use a Python that has "
                 "pip, or name an unpacked one by --botocore FOLDER")
    for wheel in Path(folder).glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(folder)
    return Path(folder) / "botocore"


def main():
    options = argparse.ArgumentParser(description="Writes the public endpoint rules and "
                                      f"partitions, as botocore has them, into {TABLES}.")
    source = options.add_mutually_exclusive_group()
    source.add_argument("--version", help="this release of botocore, by pip (else the newest)")
    source.add_argument("--botocore", type=Path, metavar="FOLDER", help="an unpacked botocore")
    options.add_argument("--check", action="store_true",
                         help="write nothing; exit with 1 when the tree differs")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            version, text = tables_of(given.botocore or download(given.version, folder))
        except Unknown as unknown:
            sys.exit(f"update-aws-data.py: {unknown}")
    path = ROOT / TABLES
    same = path.exists() and path.read_text(encoding="utf-8") == text
    if same:
        print(f"{TABLES} is what botocore {version} gives")
    elif given.check:
        sys.exit(f"{TABLES} is not what botocore {version} gives: {HOW_TO_UPDATE}")
    else:
        path.write_text(text, encoding="utf-8")
        print(f"{TABLES} is written from botocore {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
