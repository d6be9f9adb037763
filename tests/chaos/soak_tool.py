#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The soak as a tool on somebody's own table: what it refuses, what it survives, and that its
verification finds what is lost or wrong.

    soak_tool.py BENCH      the program codynamo-bench
"""
import base64
import subprocess
import sys
import time

from chaos import STOPPED, Checks, Server, Soak, run_test, scratch, verify, write_down


def create_table(server, name, attribute, kind):
    server.ask("CreateTable", {
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": attribute, "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": attribute, "AttributeType": kind}]})


def run(program, server, table, log, *more, seconds=3):
    """Exit code and complaints of a short soak."""
    done = subprocess.run([program, "soak", f"--server={server.url}", f"--table={table}",
                           f"--ack-log={log}", f"--seconds={seconds}", "--json", *more],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    write_down(done.stdout, done.stderr)
    return done.returncode, done.stderr


def check_refusals(checks, program, server, folder):
    create_table(server, "other-name", "id", "S")
    create_table(server, "other-type", "key", "N")
    for table in ("other-name", "other-type"):
        code, words = run(program, server, table, folder / "refused.log")
        checks.that(code == 3 and "hash key" in words, f"{table}: {code}, {words}")
        found = server.ask("Scan", {"TableName": table})
        checks.that(found["Count"] == 0, f"{table} was written to")
    checks.that(not (folder / "refused.log").exists(), "a refused run leaves a log")
    for wrong in (["--keys=3", "--writers=4"], ["--key-prefix=a b"], ["--value-size=95"],
                  ["--verify=x"]):
        code, words = run(program, server, "chaos", folder / "usage.log", *wrong)
        checks.that(code == 2, f"{wrong}: {code}, {words}")
    code, words = run(program, server, "chaos", folder / "usage.log", seconds=0)
    checks.that(code == 2, f"no time: {code}, {words}")
    code, words = run(program, server, "ab", folder / "usage.log")
    checks.that(code == 2, f"a table's name that is too short: {code}, {words}")


def check_killed(checks, program, server, folder):
    """The soak itself is killed, half a line is left behind, and a second run goes on."""
    with Soak(program, folder, server.url, duration=60, writers=16, readers=4) as soak:
        soak.wait_for_success()
        busy, words = run(program, server, "chaos", soak.log)
        checks.that(busy == 3 and "another" in words, f"two writers of a log: {busy}, {words}")
        time.sleep(0.5)
        soak.process.kill()
        soak.process.wait()
        log = soak.log
    log.write_bytes(log.read_bytes()[:-7])
    code, found = verify(program, log, server.url)
    checks.that(code == 0 and found["torn_line"] and found["runs_ended"] == 0
                and found["acknowledged"] > 0, f"after a kill: {code}, {found}")
    code, words = run(program, server, "chaos", log)
    checks.that(code == 0, f"the second run: {code}, {words}")
    code, both = verify(program, log, server.url)
    checks.that(code == 0 and both["runs"] == 2 and both["runs_ended"] == 1
                and not both["torn_line"] and both["acknowledged"] > found["acknowledged"],
                f"after a second run: {code}, {both}")
    code, words = run(program, server, "elsewhere", log)
    checks.that(code == 3 and "another table" in words, f"another table: {code}, {words}")
    bytes_ = bytearray(log.read_bytes())
    bytes_[len(bytes_) // 2] ^= 1
    (folder / "damaged.log").write_bytes(bytes_)
    code, _ = verify(program, folder / "damaged.log", server.url, expected=3)
    checks.that(code == 3, f"a damaged log: {code}")
    return log


def check_findings(checks, program, server, log):
    """Somebody changes the table behind the log's back."""
    # What a killed run could not log is in the table too, and nobody was promised anything of it.
    lines = [line.split() for line in log.read_text().splitlines()]
    promised = [f"codynamo-soak/{line[1]}/{line[2]}" for line in lines if line[0] == "A"]
    damaged, removed, older = (
        server.ask("GetItem", {"TableName": "chaos", "Key": {"key": {"S": key}}})["Item"]
        for key in sorted(set(promised))[:3])
    value = bytearray(base64.b64decode(damaged["value"]["B"]))
    value[100] ^= 1
    server.ask("PutItem", {"TableName": "chaos", "Item": {
        **damaged, "value": {"B": base64.b64encode(bytes(value)).decode()}}})
    server.ask("DeleteItem", {"TableName": "chaos", "Key": {"key": removed["key"]}})
    server.ask("PutItem", {"TableName": "chaos", "Item": {**older, "version": {"N": "99"}}})
    code, found = verify(program, log, server.url, "--erase", expected=1)
    checks.that(code == 1 and (found["lost"], found["wrong"], found["erased"]) == (1, 2, 0),
                f"one lost, two wrong: {code}, {found}")
    for item in (damaged, removed, older):
        server.ask("PutItem", {"TableName": "chaos", "Item": item})
    stranger = {"key": {"S": "somebody else's"}, "value": {"S": "x"}}
    server.ask("PutItem", {"TableName": "chaos", "Item": stranger})
    code, found = verify(program, log, server.url, "--erase")
    checks.that(code == 0 and found["erased"] >= found["keys"] > 0, f"erasing: {code}, {found}")
    left = server.ask("Scan", {"TableName": "chaos"})["Items"]
    checks.that(left == [stranger], f"{len(left)} items are left")


def check_interrupted(checks, program, server, folder):
    with Soak(program, folder, server.url, duration=60, writers=4, readers=4, name="stopped") as it:
        it.wait_for_success()
        it.stop()
        code, figures = it.wait()
        checks.that(code == STOPPED and figures["interrupted"] and figures["acknowledged"] > 0,
                    f"Ctrl-C: {code}, {figures}")
        code, found = verify(program, it.log, server.url)
        checks.that(code == 0 and found["runs_ended"] == 1
                    and found["acknowledged"] == figures["acknowledged"],
                    f"after Ctrl-C: {code}, {found}")


def main(program):
    def body(stack):
        checks = Checks()
        folder = stack.enter_context(scratch())
        server = stack.enter_context(Server(folder / "table.db"))
        check_refusals(checks, program, server, folder)
        log = check_killed(checks, program, server, folder)
        check_findings(checks, program, server, log)
        check_interrupted(checks, program, server, folder)
        return checks.exit_code()
    run_test(body, 200)


if __name__ == "__main__":
    main(sys.argv[1])
