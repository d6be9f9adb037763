# SPDX-License-Identifier: BSL-1.0
"""--json [FILE], as the verbs of codynamo-bench that are not scripts have it."""
import json
import sys


class JsonOutput:
    """Opened while the options are read: what cannot be written is not measured."""

    def __init__(self, target):
        self.is_stdout = target == "-"
        self.file = sys.stdout if self.is_stdout else open(target, "w", encoding="utf-8")

    def write(self, document):
        json.dump(document, self.file, indent=1)
        self.file.write("\n")
        if self.is_stdout:
            self.file.flush()
        else:
            self.file.close()


def opened(parser):
    def open_target(target):
        try:
            return JsonOutput(target)
        except OSError as why:
            parser.error(f"--json: cannot write to '{target}': {why.strerror}")
    return open_target


def add_to(parser):
    parser.add_argument("--json", metavar="FILE", nargs="?", const="-", type=opened(parser),
                        help="write one JSON object to FILE; without FILE or with '-' to stdout")


def is_stdout(options):
    return options.json is not None and options.json.is_stdout
