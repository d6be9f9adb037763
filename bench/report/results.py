# SPDX-License-Identifier: BSL-1.0
"""Which results there are in a folder, by kind, and what has to be said about them."""
import json

# In the order of the page, with what makes each: kind: (title, command).
KINDS = {
    "floor": ("Beside bare Asio and Beast", "bench/wire-vs-floor.sh"),
    "gate": ("Instructions and allocations", "codynamo-bench gate"),
    "peers": ("Beside other clients", "codynamo-bench peers"),
    "wire": ("Closed loop", "codynamo-bench wire"),
    "rate": ("Open loop: at a given rate", "codynamo-bench rate"),
    "batching": ("Invisible batching", "codynamo-bench batching"),
    "inflight": ("Very many gets in flight", "codynamo-bench inflight"),
    "ycsb": ("YCSB workloads", "codynamo-bench ycsb"),
    "memory": ("A hit in memory", "codynamo-bench memory"),
    "policies": ("Hit ratios", "codynamo-policies and bench/policies/table.py"),
    "scale": ("Two executors in two threads", "codynamo-bench scale"),
    "micro": ("Parts of a get", "codynamo-bench micro"),
    "compile": ("A user's translation unit", "codynamo-bench compile"),
}


def kind_of(document):
    """Google Benchmark's and the drivers' figures do not say what they are."""
    if not isinstance(document, dict):
        return None
    if "benchmarks" in document:
        return "micro"
    if "kind" not in document and {"ops", "cpu_us_per_op"} <= document.keys():
        return "wire"
    return document.get("kind")


class Results:
    """Documents by kind, in the order of their files' names, and notes."""

    def __init__(self):
        self.documents, self.notes = {kind: [] for kind in KINDS}, []

    def add(self, name, text):
        try:
            document = json.loads(text)
        except ValueError as why:
            self.notes.append(f"{name} is not JSON and was left out: {why}")
            return
        kind = kind_of(document)
        if kind not in KINDS:
            self.notes.append(f"{name} was left out: its kind is {json.dumps(kind)}, "
                              "which is not known here")
            return
        self.documents[kind].append({"file": name, **document})
        if not document.get("complete", True):
            self.notes.append(f"{name} was interrupted: it has what was measured until then")
        if document.get("noisy"):
            self.notes.append(f"{name} is noisy: others used "
                              f"{document['other_load']:.0%} of a core")

    def all(self, kind):
        return self.documents[kind]

    def missing(self):
        return [kind for kind, found in self.documents.items() if not found]

    def machines(self):
        """Where it was measured; more than one means that figures do not compare."""
        found = [json.dumps(each["machine"], sort_keys=True)
                 for kind in self.documents.values() for each in kind if each.get("machine")]
        return [json.loads(each) for each in dict.fromkeys(found)]


def load(folder):
    made = Results()
    for path in sorted(folder.glob("*.json")):
        made.add(path.name, path.read_text(encoding="utf-8", errors="replace"))
    return made


def find(document, *names):
    """The first of these keys that is a number, however deep."""
    for name in names:
        for key, value in walk(document):
            if key.rsplit(".", 1)[-1] == name and isinstance(value, (int, float)):
                return value
    return None


def walk(value, place=""):
    """(path, leaf) of everything but the machine and single runs."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("machine", "runs", "kind", "format", "file"):
                yield from walk(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from walk(inner, f"{place}.{number}")
    else:
        yield place, value
