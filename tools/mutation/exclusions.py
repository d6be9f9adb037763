# SPDX-License-Identifier: BSL-1.0
"""Which changes say nothing about the tests: rules, and single changes that are known to be
equivalent. Both are counted in the report, by reason."""
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Rule:
    """Excludes a change if each of the patterns that are given is found in what it is for."""
    reason: str
    files: str = ""  # the path
    kinds: str = ""  # the kind of change
    segment: str = ""  # the part of the statement that is changed

    def excludes(self, point):
        return (re.search(self.files, point.file) and re.search(self.kinds, point.kind)
                and re.search(self.segment, point.segment))


RULES = [
    Rule("generated tables", files=r"^src/aws/endpoint_data\.cpp$"),
    Rule("words of messages", files=r"(^|/)(error|words|exception_words)\.(cpp|hpp)$",
         segment=r"words|message|describe|add\(|text|separator|return \""),
    # "cannot connect to " + name: a text that is put together.
    Rule("words of messages", kinds="^arithmetic$", segment=r'"'),
    Rule("words of messages", kinds="^statement$",
         segment=r"(?i)^[\w.>-]*(message|words|reasons?|text|line|detail|odd|list)\w*"
                 r"(\s*\+?=|\.append\(|\.push_back\()[^;]*\""),
    Rule("logging", segment=r"\blog(_level::|\.write\(|\w*\()"),
    Rule("optimization only", segment=r"\.reserve\([^)]|shrink_to_fit|prefetch"),
]


def load_equivalents(path):
    """{(file, line's text, change): reason} of a file with lines of four parts: see the file."""
    found = {}
    if not path.exists():
        return found
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split(" ## ")]
        if len(parts) != 4 or not all(parts):
            raise ValueError(f"{path}:{number}: expected FILE ## LINE ## CHANGE ## REASON")
        found[tuple(parts[:3])] = parts[3]
    return found


class Exclusions:
    def __init__(self, equivalents):
        self.equivalents = equivalents

    def reason(self, point):
        """Why a change is excluded, or None."""
        for rule in RULES:
            if rule.excludes(point):
                return rule.reason
        known = self.equivalents.get((point.file, point.source, point.change))
        return "equivalent: listed" if known else None
