# SPDX-License-Identifier: BSL-1.0
"""The public vectors of signing and of the endpoint rules, by way of the program."""
import json
import os
import sys
from pathlib import Path

from program import DEFAULT_VECTORS, OK, SECRET, SKIPPED, USAGE, environment, expect


def vectors_of_the_public_suite():
    folder = Path(os.environ.get("CODYNAMO_VECTORS") or DEFAULT_VECTORS)
    if not (folder / "sigv4_suite.json").exists():
        print("skipped: no vectors")
        sys.exit(SKIPPED)
    cases = json.loads((folder / "sigv4_suite.json").read_text(encoding="utf-8"))
    for case in cases:
        context = case["context"]
        assert context["secret"] == SECRET
        env = environment(AWS_ACCESS_KEY_ID=context["access_key"])
        if context["token"]:
            env["AWS_SESSION_TOKEN"] = context["token"]
        when = context["timestamp"].replace("-", "").replace(":", "")
        flags = [flag for flag, given in (("--no-normalize-path", not context["normalize"]),
                                          ("--omit-session-token", context["omit_session_token"]),
                                          ("--sign-body", context["sign_body"])) if given]
        signed = json.loads(expect(OK, "sign", "--service", context["service"], "--region",
                                   context["region"], "--time", when, *flags,
                                   stdin=case["request"].encode(), env=env))
        for ours, theirs in (("canonical_request", "header_canonical_request"),
                             ("string_to_sign", "header_string_to_sign"),
                             ("signature", "header_signature")):
            assert signed[ours] == case[theirs], f"{case['name']}: {ours}: {signed[ours]!r}"
        assert signed["authorization"] in case["header_signed_request"], case["name"]
    print(f"{len(cases)} cases")


def expected_since(params, wanted):
    """The cases are older than the rules: cn-north-1 and us-gov-east-1 have hosts of accounts since
    botocore 1.44."""
    region, account = params.get("Region"), params.get("AccountId")
    mode = params.get("AccountIdEndpointMode", "disabled")
    if (region not in ("cn-north-1", "us-gov-east-1") or mode == "disabled"
            or params.get("UseFIPS") or "Endpoint" in params):
        return wanted
    if account:
        suffix = {("cn-north-1", False): "amazonaws.com.cn", ("us-gov-east-1", True): "api.aws",
                  ("cn-north-1", True): "api.amazonwebservices.com.cn",
                  ("us-gov-east-1", False): "amazonaws.com"}[region, params["UseDualStack"]]
        return {"url": f"https://{account}.ddb.{region}.{suffix}"}
    return {"error": ""} if account == "" or mode == "required" else wanted


def vectors_of_the_endpoint_rules():
    folder = Path(os.environ.get("CODYNAMO_VECTORS") or DEFAULT_VECTORS)
    cases = json.loads((folder / "endpoint_vectors.json").read_text(encoding="utf-8"))
    options = (("Region", "--region"), ("Endpoint", "--endpoint"), ("AccountId", "--account-id"),
               ("AccountIdEndpointMode", "--account-id-endpoint-mode"),
               ("ResourceArn", "--resource-arn"))
    passed = 0
    for case in cases:
        params = case["params"]
        if params.get("IsSearchOperation"):
            continue
        arguments = [word for name, option in options if name in params
                     for word in (option, params[name])]
        for arn in params.get("ResourceArnList", []):
            arguments += ["--resource-arn", arn]
        arguments += [f"--fips={str(params.get('UseFIPS', False)).lower()}",
                      f"--dualstack={str(params.get('UseDualStack', False)).lower()}"]
        wanted = expected_since(params, case["expect"])
        got = json.loads(expect(USAGE if "error" in wanted else OK, "endpoint", *arguments))
        if "error" not in wanted:
            assert got["url"] == wanted["url"].rstrip("/"), (case["id"], got)
            region = wanted.get("signing_region", params.get("Region", ""))
            assert got["signing_region"] == region, (case["id"], got)
        passed += 1
    print(f"{passed} cases passed; {len(cases) - passed} skipped: vector search")
    assert passed >= 371, passed
