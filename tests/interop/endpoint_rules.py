#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The endpoint rules of this library and botocore's own engine on the same parameter sets.

    endpoint_rules.py PEER [--seed N] [--cases N]

Each set is asked twice: the bare rules, where URL, message and signing scope must be botocore's, and
the public function, which is stricter in what expected_publicly() lists. Every endpoint and error of
every rule set must be met several times; candidates are chosen for that.
"""
import argparse
import copy
import gzip
import json
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from tapped import write_down  # noqa: E402
from venv_packages import run_where_installed  # noqa: E402

run_where_installed("botocore")
import botocore  # noqa: E402
from botocore.endpoint_provider import RuleSet  # noqa: E402
from botocore.exceptions import EndpointResolutionError  # noqa: E402

DATA = Path(botocore.__file__).parent / "data"
# Of 20 cases, how many each service gets.
SERVICES = {"dynamodb": ("2012-08-10", 11), "sts": ("2011-06-15", 4), "sso": ("2019-06-10", 2.5),
            "sso-oidc": ("2019-06-10", 2.5)}
PARTITIONS = json.loads((DATA / "partitions.json").read_text(encoding="utf-8"))
# Custom endpoints, and how the public function writes them; None: refused before the rules.
ENDPOINTS = {
    "https://example.com": "https://example.com",
    "http://localhost:8000": "http://localhost:8000",
    "https://Example.COM:443/": "https://example.com",
    "http://192.0.2.1:80": "http://192.0.2.1",
    "http://[2001:db8::1]:8000": "http://[2001:db8::1]:8000",
    "https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com":
        "https://vpce-1.dynamodb.us-east-1.vpce.amazonaws.com",
    "https://example.com?query": None,
    "https://example.com/path": None,
    "https://user:word@example.com": None,
    "https://example.com:99999": None,
    "https://[2001:db8::1": None,
    "ftp://example.com": None,
    "example.com": None,
    "https://": None,
    "https://exa mple.com": None,
}
# How often each endpoint and each error must be met.
FEW = 5
HOST_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")


def load(service, name):
    path = DATA / service / SERVICES[service][0] / f"{name}.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


class Engine:
    """botocore's, for one service and one kind of partitions."""

    def __init__(self, service, supports_fips, supports_dualstack):
        partitions = copy.deepcopy(PARTITIONS)
        for each in partitions["partitions"]:
            each["outputs"].update(supportsFIPS=supports_fips,
                                   supportsDualStack=supports_dualstack)
        self.rules = RuleSet(**load(service, "endpoint-rule-set-1"), partitions=partitions)
        metadata = load(service, "service-2")["metadata"]
        self.signing_name = metadata.get("signingName", metadata["endpointPrefix"])

    def ask(self, parameters):
        """Like an answer of the peer; None where botocore itself fails."""
        given = {name: tuple(value) if isinstance(value, list) else value
                 for name, value in parameters.items()}
        try:
            found = self.rules.evaluate(given)
        except EndpointResolutionError as refusal:
            return {"error": str(refusal)}
        except (TypeError, ValueError):  # of a URL that it cannot take apart
            return None
        assert found is not None, f"botocore has no rule for {parameters}"
        scheme = found.properties.get("authSchemes", [{}])[0]
        return {"url": found.url,
                "signing_region": scheme.get("signingRegion", parameters.get("Region", "")),
                "signing_name": scheme.get("signingName", self.signing_name)}


def expected_publicly(engine, parameters):
    """What the public function must answer; "error" alone means whatever words."""
    given = {name: value for name, value in parameters.items() if value not in ("", [])}
    # An empty text is one that is not set, a region must be a host label, ...
    if "Region" in given or "Endpoint" not in given:
        if not HOST_LABEL.fullmatch(given.get("Region", "")):
            return {"error": ""}
    # ... a custom endpoint an origin, which the rules see in its normal form.
    if "Endpoint" in given:
        given["Endpoint"] = normal_form(given["Endpoint"])
        if given["Endpoint"] is None:
            return {"error": ""}
    answer = engine.ask(given)
    # The host of a URL is in lower case; the region that is signed for stays as it is.
    return answer if "error" in answer else {**answer, "url": answer["url"].lower()}


def normal_form(url):
    if url in ENDPOINTS:
        return ENDPOINTS[url]
    url = url.lower().removesuffix("/")
    return url if re.fullmatch(r"https?://[a-z0-9._-]+", url) else None


def named_regions(service):
    """The regions that a rule set has rules of their own for, with their partitions' outputs."""
    rules = json.dumps(load(service, "endpoint-rule-set-1")["rules"])
    return [(region, each["outputs"]) for each in PARTITIONS["partitions"]
            for region in each["regions"] if f'{{"ref": "Region"}}, "{region}"' in rules]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.named = {service: named_regions(service) for service in SERVICES}

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def one(self, *choices):
        return self.random.choice(choices)

    def region(self, service):
        partition = self.one(*PARTITIONS["partitions"])
        known, outputs = self.one(*partition["regions"]), partition["outputs"]
        kind = self.random.random()
        if kind < 0.25:
            return known, outputs
        if kind < 0.65 and self.named[service]:
            return self.one(*self.named[service])
        outputs = PARTITIONS["partitions"][0]["outputs"]
        if kind < 0.75:
            prefix = self.one("us", "eu", "cn", "us-gov", "us-gov", "us-iso", "us-isob", "eu-isoe",
                              "us-isof", "eusc-de", "mx", "xx", "")
            name = self.one("north", "east", "west", "a_b", "9", "", "south-west")
            return f"{prefix}-{name}-{self.one(1, 2, 7, 42, '', 'x')}", outputs
        if kind < 0.83:
            return "local", outputs
        at = self.random.randrange(len(known))
        # Within a name, Python's \\w takes a letter that is not ASCII, and its $ a final line end.
        letter = self.one(".", " ", "-", "_", "/", "{", "\r\n", "A", "%", "")
        return self.one("", known[:at] + letter + known[at:], "é" + known, "x" * 64, "-" + known,
                        known.upper()), outputs

    def account(self):
        return self.one("111111111111", "222222222222", "000000000001", str(self.random.random()),
                        "", "a.b", "-1", "1-", "x" * 64, "1\r\nX: y", "é", "{Region}")

    def arn(self, region):
        if self.chance(15):
            return self.one("", "a-table", "arn:", "arn:aws:dynamodb", "nra:aws:dynamodb:x:1:t")
        pick = self.random.choices
        return ":".join(("arn", pick(("aws", "aws-cn", ""), (8, 1, 1))[0],
                         pick(("dynamodb", "s3", ""), (8, 1, 1))[0],
                         pick((region, "us-west-2", ""), (8, 1, 1))[0],
                         pick(("333333333333", self.account()), (6, 4))[0],
                         pick(("table/t", "table/t:index/i", ""), (8, 1, 1))[0]))

    def endpoint(self, region, outputs):
        if self.chance(35):
            # Python's urlparse drops line ends.
            region = re.sub(r"[\r\n]", "", region)
            host = f"{self.one('', 'search-')}dynamodb.{region}.{outputs['dualStackDnsSuffix']}"
            return self.one("https://", "http://") + self.one(host, host, host.upper(), host + "/")
        return self.one(*ENDPOINTS)

    def parameters(self, service):
        region, outputs = self.region(service)
        given = {}
        if self.chance(95):
            given["Region"] = region
        for name in ("UseFIPS", "UseDualStack"):
            if self.chance(90):
                given[name] = self.chance(35)
        if self.chance(16):
            given["Endpoint"] = self.endpoint(region, outputs)
        if service == "sts" and self.chance(75):
            given["UseGlobalEndpoint"] = self.chance(60)
        if service != "dynamodb":
            return given
        if self.chance(90):
            given["AccountIdEndpointMode"] = self.one("preferred", "preferred", "required",
                                                      "disabled")
        if self.chance(55):
            given["AccountId"] = self.account()
        if self.chance(35):
            given["ResourceArn"] = self.arn(region)
        if self.chance(35):
            given["ResourceArnList"] = [self.arn(region) for _ in range(self.random.randrange(3))]
        if self.chance(50):
            given["IsSearchOperation"] = self.chance(50)
        return given

    def case(self):
        service = self.random.choices(list(SERVICES), [share for _, share in SERVICES.values()])[0]
        poor = self.chance(20)
        return {"service": service, "parameters": self.parameters(service),
                "supports_fips": not poor or self.chance(50),
                "supports_dualstack": not poor or self.chance(50)}


def leaves_of(service):
    """Indices, in preorder, of the rules that are no trees."""
    kinds = []

    def walk(rules):
        for rule in rules:
            kinds.append(rule["type"])
            walk(rule.get("rules", []))
    walk(load(service, "endpoint-rule-set-1")["rules"])
    return {index for index, kind in enumerate(kinds) if kind != "tree"}


def is_public(case):
    """Whether the public functions have all of the parameters."""
    given = case["parameters"]
    if given.get("IsSearchOperation") or given.get("UseGlobalEndpoint"):
        return False
    return case["service"] == "dynamodb" or (case["supports_fips"] and case["supports_dualstack"])


def ask_peer(program, cases):
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    hello, *answers = map(json.loads, done.stdout.splitlines())
    # What users may see. The rules alone give back any URL, with the password that a case has in it.
    write_down("\n".join(json.dumps(answer.get("public")) for answer in answers), done.stderr)
    assert len(answers) == len(cases), (len(answers), len(cases))
    return hello["version"], answers


def rare_first(candidates, answers):
    """The first few of each endpoint and error, then the others."""
    seen, rare, others = Counter(), [], []
    for case, answer in zip(candidates, answers):
        leaf = case["service"], answer["rules"].pop("rule")
        seen[leaf] += 1
        (rare if seen[leaf] <= FEW else others).append((leaf, case, answer))
    return rare + others


def check_version(version):
    if version != botocore.__version__:
        sys.exit(f"the tables are from botocore {version}, and botocore {botocore.__version__} is "
                 "installed; run tools/install-dependencies.sh test")


class Comparison:
    def __init__(self):
        self.engines, self.met, self.counts, self.differences = {}, Counter(), Counter(), []

    def compare(self, leaf, case, answer):
        key = case["service"], case["supports_fips"], case["supports_dualstack"]
        if key not in self.engines:
            self.engines[key] = Engine(*key)
        wanted = self.engines[key].ask(case["parameters"])
        if wanted is not None:
            self.met[leaf] += 1
            self.counts["rules"] += 1
            self.expect(wanted == answer["rules"], case, "rules", wanted, answer["rules"])
        if is_public(case):
            wanted = expected_publicly(self.engines[key], case["parameters"])
            got = answer["public"]
            self.counts["public"] += 1
            if "error" in wanted:
                self.counts["refused"] += 1
                self.expect(wanted["error"] in got.get("error", []), case, "public", wanted, got)
            else:
                self.expect(wanted == got, case, "public", wanted, got)

    def expect(self, equal, *difference):
        if not equal:
            self.differences.append(difference)

    def report(self):
        for difference in self.differences[:10]:
            print("DIFFERENT {}\n    {}: botocore {}\n    ours {}".format(*difference))
        missing = [(service, leaf) for service in SERVICES for leaf in sorted(leaves_of(service))
                   if self.met[service, leaf] < FEW]
        counts = self.counts
        print(f"{counts['rules']} compared as rules, {counts['public']} of them by the public "
              f"functions too, which refuse {counts['refused']}; {len(self.differences)} differ; "
              f"{len(self.met)} endpoints and errors met, the rarest {min(self.met.values())} "
              f"times; {len(missing)} too rarely: {missing}")
        return not self.differences and not missing and counts["public"] > counts["rules"] / 2


def main():
    options = argparse.ArgumentParser()
    options.add_argument("peer")
    options.add_argument("--seed", type=int, default=20261)
    options.add_argument("--cases", type=int, default=5000)
    given = options.parse_args()
    generator = Generator(given.seed)
    print(f"seed {given.seed}, {given.cases} cases, botocore {botocore.__version__}", flush=True)
    candidates = [generator.case() for _ in range(8 * given.cases)]
    version, answers = ask_peer(given.peer, candidates)
    check_version(version)
    comparison = Comparison()
    for leaf, case, answer in rare_first(candidates, answers):
        if comparison.counts["rules"] == given.cases:
            break
        comparison.compare(leaf, case, answer)
    passed = comparison.report() and comparison.counts["rules"] == given.cases
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
