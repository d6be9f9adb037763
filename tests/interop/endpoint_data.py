#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The tables in src/aws/endpoint_data.cpp are what tools/update-aws-data.py makes of the botocore that
they name, and that script refuses what the library's interpreter does not know.
"""
import gzip
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from venv_packages import run_where_installed  # noqa: E402

run_where_installed("botocore")
import botocore  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = "tools/update-aws-data.py"
TABLES = "src/aws/endpoint_data.cpp"
BOTOCORE = Path(botocore.__file__).parent
DYNAMODB = "dynamodb/2012-08-10/endpoint-rule-set-1.json"
PARTITIONS = "partitions.json"


def run_script(root, *arguments):
    done = subprocess.run([sys.executable, str(root / SCRIPT), *map(str, arguments)],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def check_tables_of_the_tree():
    version = re.search(r"endpoint_data_version = \"([\d.]+)\"",
                        (ROOT / TABLES).read_text(encoding="utf-8"))[1]
    assert version == botocore.__version__, (
        f"the tables are from botocore {version}, and botocore {botocore.__version__} is installed; "
        "run tools/install-dependencies.sh test")
    code, said = run_script(ROOT, "--check", "--botocore", BOTOCORE)
    assert code == 0, said
    print(said, end="")


class Copy:
    """The script with tables of its own, and the part of botocore that it reads."""

    def __init__(self, folder):
        self.root = Path(folder) / "root"
        self.botocore = Path(folder) / "botocore"
        for name in (SCRIPT, TABLES):
            (self.root / name).parent.mkdir(parents=True)
            shutil.copy(ROOT / name, self.root / name)
        for service in ("dynamodb/2012-08-10", "sts/2011-06-15", "sso/2019-06-10",
                        "sso-oidc/2019-06-10"):
            target = self.botocore / "data" / service
            target.mkdir(parents=True)
            for name in ("endpoint-rule-set-1.json.gz", "service-2.json.gz"):
                shutil.copy(BOTOCORE / "data" / service / name, target / name)
        shutil.copy(BOTOCORE / "data" / PARTITIONS, self.botocore / "data" / PARTITIONS)
        shutil.copy(BOTOCORE / "__init__.py", self.botocore / "__init__.py")
        with gzip.open(BOTOCORE / "data" / f"{DYNAMODB}.gz", "rt", encoding="utf-8") as file:
            self.given = {DYNAMODB: json.load(file)}
        text = (BOTOCORE / "data" / PARTITIONS).read_text(encoding="utf-8")
        self.given[PARTITIONS] = json.loads(text)
        code, said = self.run()
        assert code == 0, said

    def run(self, *arguments):
        return run_script(self.root, "--botocore", self.botocore, *arguments)

    def change(self, name, change):
        """Plain JSON goes before the packed one."""
        data = json.loads(json.dumps(self.given[name]))
        change(data)
        (self.botocore / "data" / name).write_text(json.dumps(data), encoding="utf-8")

    def restore(self, name):
        text = json.dumps(self.given[name])
        (self.botocore / "data" / name).write_text(text, encoding="utf-8")


def check_other_tables_are_told_and_replaced():
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(folder)
        path = copy.root / TABLES
        right = path.read_text(encoding="utf-8")
        wrong = right.replace("dynamodb-fips.", "dynamodb-flips.")
        assert wrong != right
        path.write_text(wrong, encoding="utf-8")
        code, said = copy.run("--check")
        assert code == 1 and f"then commit {TABLES}" in said, (code, said)
        assert path.read_text(encoding="utf-8") == wrong, "--check writes"
        code, said = copy.run()
        assert code == 0 and path.read_text(encoding="utf-8") == right, (code, said)
        assert copy.run("--check")[0] == 0


def condition(name, *arguments, **more):
    """Adds a condition to the first rule of a rule set."""
    return lambda data: data["rules"][0]["conditions"].append(
        {"fn": name, "argv": list(arguments), **more})


def set_last_rule(**members):
    def change(data):
        rule = data["rules"][-1]
        rule.clear()
        rule.update({"conditions": [], "type": "endpoint"}, **members)
    return change


def set_regex(regex):
    return lambda data: data["partitions"][1].update(regionRegex=regex)


UNKNOWN = [
    (DYNAMODB, condition("aws.isVirtualHostableS3Bucket", "x", False), "the function aws.isVirtual"),
    (DYNAMODB, condition("stringEquals", {"ref": "AccountId"}, "x"), "what may not be set"),
    (DYNAMODB, condition("stringEquals", {"ref": "Region"}, True), "of a boolean"),
    (DYNAMODB, condition("stringEquals", {"ref": "Never"}, "x"), "Never is used and not assigned"),
    (DYNAMODB, condition("isSet", {"fn": "getAttr", "argv": [{"ref": "parsedEndpoint"}, "isIp"]}),
     "parsedEndpoint#isIp"),
    (DYNAMODB, condition("isSet"), "0 arguments"),
    (DYNAMODB, condition("aws.partition", {"ref": "Region"}), "without assign"),
    (DYNAMODB, condition("aws.partition", {"ref": "Region"}, assign="PartitionResult"),
     "assigned twice"),
    (DYNAMODB, condition("isSet", {"ref": "Region"}, more=1), "a call has"),
    (DYNAMODB, lambda data: data["parameters"].update(Bucket={"type": "string"}),
     "parameter Bucket: unknown"),
    (DYNAMODB, lambda data: data["parameters"]["UseFIPS"].update(default=True), "the default True"),
    (DYNAMODB, lambda data: data.update(version="2.0"), "the version of the rule set is 2.0"),
    (DYNAMODB, lambda data: data.update(bdd={}), "the rule set has bdd"),
    (DYNAMODB, lambda data: data["rules"][0].update(type="table"), "the type table"),
    (DYNAMODB, set_last_rule(endpoint={"url": "https://x", "headers": {"a": ["b"]}}), "the headers"),
    (DYNAMODB, set_last_rule(endpoint={"url": "https://x", "properties": {"backend": "y"}}),
     "the properties ['backend']"),
    (DYNAMODB, set_last_rule(endpoint={"url": "https://x", "properties": {
        "authSchemes": [{"name": "sigv4a", "signingName": "x", "signingRegion": "y"}]}}),
     "the authSchemes"),
    (DYNAMODB, set_last_rule(endpoint={"url": "https://{Region}"}), "may not be set"),
    (DYNAMODB, set_last_rule(endpoint={"url": "https://{}"}), "the text"),
    (PARTITIONS, set_regex(r"^cn\-.*$"), "the regionRegex"),
    (PARTITIONS, set_regex(r"^c(n|m)?\-\w+\-\d+$"), "the regionRegex"),
    (PARTITIONS, lambda data: data["partitions"][0]["outputs"].update(more=1), "its members"),
    (PARTITIONS, lambda data: data["partitions"][0]["regions"]["us-east-1"].update(dnsSuffix="x"),
     "the outputs of us-east-1"),
    (PARTITIONS, lambda data: data["partitions"].reverse(), "the first one is not aws"),
]


def check_what_is_unknown_is_refused():
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(folder)
        for name in (DYNAMODB, PARTITIONS):
            copy.restore(name)
        assert copy.run("--check")[0] == 0, "plain JSON is read differently"
        for name, change, words in UNKNOWN:
            copy.change(name, change)
            code, said = copy.run("--check")
            copy.restore(name)
            assert code == 1 and words in said and "Traceback" not in said, (words, code, said)


def check_what_is_no_botocore_is_refused_by_name():
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(folder)
        sts = copy.botocore / "data/sts/2011-06-15/endpoint-rule-set-1.json.gz"
        for path, content, words in (
                (sts, sts.read_bytes()[:100], f"cannot read {sts}"),
                (sts, sts.read_bytes()[:20] + b"\xff" * 99, f"cannot read {sts}"),
                (sts, b"hello", f"cannot read {sts}"), (sts, gzip.compress(b"{"), f"{sts} is not"),
                (copy.botocore / "data" / PARTITIONS, b"\xff", "partitions.json"),
                (copy.botocore / "data" / PARTITIONS, b"[", "partitions.json is not JSON"),
                (copy.botocore / "__init__.py", b"x = 1", "no version"),
                (copy.botocore / "__init__.py", None, "not the package's own folder")):
            before = path.read_bytes()
            path.unlink() if content is None else path.write_bytes(content)
            code, said = copy.run()
            path.write_bytes(before)
            assert code == 1 and words in said and "Traceback" not in said, (words, code, said)
        code, said = run_script(copy.root, "--botocore", f"{folder}/none")
        assert code == 1 and f"{folder}/none is not the package's own folder" in said, said


def main():
    checks = [check for name, check in globals().items() if name.startswith("check_")]
    failed = 0
    for check in checks:
        try:
            check()
            print(f"ok      {check.__name__[6:]}", flush=True)
        except AssertionError as why:
            failed += 1
            print(f"FAILED  {check.__name__[6:]}: {why}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
