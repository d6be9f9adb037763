#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""toxiproxy between client and server: each way of spoiling a connection, what the client may say
meanwhile, and that it goes on by itself when the connection is good again.

    toxiproxy.py BENCH      the program codynamo-bench
Several soaks run all the time, each over a proxy of its own, and share the table of cases.
CODYNAMO_CHAOS_SECONDS repeats it in random orders for as long; CODYNAMO_CHAOS_SEED repeats those.
"""
import concurrent.futures
import sys
import threading
import time
from dataclasses import dataclass, field

from chaos import (AWAY, STOPPED, Checks, Server, Soak, Toxiproxy, run_test, say, scratch, seconds,
                   seeded, verify)

# Of the client, in seconds.
ATTEMPT_TIMEOUT = 0.6
CALL_TIMEOUT = 1.2
SPOILED_FOR = 2.0
# A call that was under way may use up its time, and a circuit breaker stays open for 500 ms.
WELL_AFTER = CALL_TIMEOUT + 1.3

LANES = 3

SUCCEEDS, MAY_SUCCEED, NEVER = "succeeds", "may succeed", "never"
CUT = frozenset({"connection_lost", "connect_failed", "circuit_open"})
# Where each attempt takes time, the call's own bound may come first.
LATE = frozenset({"timeout"})


@dataclass(frozen=True)
class Case:
    name: str
    kind: str
    stream: str = "downstream"
    attributes: dict = field(default_factory=dict, hash=False)
    # Errors of which at least one has to come, and those that may come.
    errors: frozenset = frozenset()
    may: frozenset = frozenset()
    success: str = SUCCEEDS


CASES = [
    # Late, but within the bounds of an attempt.
    Case("latency of 100 ms, jitter 80", "latency", attributes={"latency": 100, "jitter": 80}),
    # A second and a half for a value: longer than an attempt may take.
    Case("bandwidth of 1 KB/s to the client", "bandwidth", attributes={"rate": 1},
         errors=frozenset({"timeout"}), may=frozenset({"circuit_open"}), success=MAY_SUCCEED),
    Case("bandwidth of 1 KB/s to the server", "bandwidth", "upstream", {"rate": 1},
         errors=frozenset({"timeout"}), may=frozenset({"circuit_open"}), success=MAY_SUCCEED),
    Case("reset by the server", "reset_peer", attributes={"timeout": 0}, errors=CUT,
         success=NEVER),
    Case("reset after 100 ms", "reset_peer", "upstream", {"timeout": 100}, errors=CUT,
         may=LATE, success=MAY_SUCCEED),
    # Who keeps his connections does not notice.
    Case("close delayed by 1 s", "slow_close", attributes={"delay": 1000}),
    Case("silence", "timeout", attributes={"timeout": 0}, errors=frozenset({"timeout"}),
         may=frozenset({"circuit_open"}), success=NEVER),
    Case("silence, then the end after 200 ms", "timeout", attributes={"timeout": 200}, errors=CUT,
         may=LATE, success=NEVER),
    # Bytes in crumbs are the same bytes.
    Case("answers in slices of 20 bytes", "slicer",
         attributes={"average_size": 20, "size_variation": 10, "delay": 100}),
    Case("requests in slices of 20 bytes", "slicer", "upstream",
         {"average_size": 20, "size_variation": 10, "delay": 100}),
    # In the middle of the body of every read; a write's answer is shorter than that.
    Case("the end after 700 bytes of answers", "limit_data", attributes={"bytes": 700}, errors=CUT,
         success=MAY_SUCCEED),
    Case("the end after 300 bytes of requests", "limit_data", "upstream", {"bytes": 300},
         errors=CUT, success=NEVER),
    Case("down", "down", errors=CUT, success=NEVER),
]


def spoil(proxy, case):
    if case.kind == "down":
        proxy.enable(False)
    else:
        proxy.add(case.kind, case.stream, case.attributes)


def mend(proxy, case):
    if case.kind == "down":
        proxy.enable(True)
    else:
        proxy.remove()


def check_case(checks, soak, proxy, case):
    spoil(proxy, case)
    begun = time.time()
    time.sleep(SPOILED_FOR)
    mended = time.time()
    mend(proxy, case)
    time.sleep(WELL_AFTER + 0.7)
    # What had been sent before the connection was spoiled may still be answered.
    _, spoiled = soak.between(begun + 0.2, mended)
    _, after = soak.between(mended + WELL_AFTER, time.time())
    back = next((line["unix_ms"] / 1000 - mended for line in soak.series()
                 if line["unix_ms"] > mended * 1000 and line["writes"] and line["reads"]), None)
    say(f"{case.name}: {spoiled['ok']} successes, errors {spoiled['errors']}; "
        f"back {'never' if back is None else f'after {back:.1f} s'}")

    seen = set(spoiled["errors"])
    if case.errors:
        checks.that(seen & case.errors, f"{case.name}: none of {sorted(case.errors)}")
        checks.that(seen <= case.errors | case.may,
                    f"{case.name}: unexpected {sorted(seen - case.errors - case.may)}")
    else:
        # The server itself may be slow on a busy machine.
        few = sum(spoiled["errors"].values()) <= spoiled["ok"] * 0.1
        checks.that(seen <= {"timeout"} and few, f"{case.name}: errors {spoiled['errors']}")
    if case.success == SUCCEEDS:
        checks.that(spoiled["ok"] > 0, f"{case.name}: no success")
    if case.success == NEVER:
        checks.that(spoiled["ok"] == 0, f"{case.name}: {spoiled['ok']} successes")
    checks.that(back is not None and back <= WELL_AFTER, f"{case.name}: back {back} s after it")
    few = sum(after["errors"].values()) <= after["ok"] * 0.1
    checks.that(after["ok"] > 0 and set(after["errors"]) <= {"timeout"} and few,
                f"{case.name}: well after it {after}")


class Lane:
    """A soak over a proxy, and the cases it has to bear."""

    def __init__(self, number, program, folder, toxiproxy, limit):
        self.proxy = toxiproxy.proxy(f"lane{number}")
        self.soak = Soak(program, folder, self.proxy.url, name=f"soak{number}",
                         duration=limit + 300, writers=3, readers=3, keys=64, value_size=1000,
                         attempt_timeout=int(ATTEMPT_TIMEOUT * 1000),
                         call_timeout=int(CALL_TIMEOUT * 1000))

    def bear(self, checks, cases, over):
        for case in cases:
            if over.is_set():
                return
            self.soak.must_run()
            check_case(checks, self.soak, self.proxy, case)

    def finish(self, program, checks, server):
        self.soak.stop()
        code, figures = self.soak.wait()
        say(f"soak: {figures}")
        checks.that(code == STOPPED, f"the soak ended with {code}")
        seen = set(figures["errors"]["write"]) | set(figures["errors"]["read"])
        checks.that(seen <= AWAY, f"errors {sorted(seen)}; clear ones are {sorted(AWAY)}")
        code, found = verify(program, self.soak.log, server.url)
        say(f"verification: {found}")
        checks.that(code == 0 and found["acknowledged"] == figures["acknowledged"] > 0,
                    f"the verification ended with {code}")


def bear_all(stack, checks, lanes, cases):
    over = threading.Event()
    pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(len(lanes)))
    stack.callback(over.set)  # before the pool waits for its threads
    shares = [pool.submit(lane.bear, checks, cases[number::len(lanes)], over)
              for number, lane in enumerate(lanes)]
    for share in shares:
        share.result()


def main(program):
    limit = max(seconds(0), len(CASES) * 6)

    def body(stack):
        checks = Checks()
        chance = seeded("toxiproxy")
        folder = stack.enter_context(scratch())
        server = stack.enter_context(Server(folder / "table.db"))
        toxiproxy = stack.enter_context(Toxiproxy(server.port))
        until = time.time() + seconds(0)
        lanes = [Lane(number, program, folder, toxiproxy, limit) for number in range(LANES)]
        for lane in lanes:
            stack.enter_context(lane.soak)
            lane.soak.wait_for_success()
        cases = list(CASES)
        bear_all(stack, checks, lanes, cases)
        while time.time() < until:
            chance.shuffle(cases)
            bear_all(stack, checks, lanes, cases)
        for lane in lanes:
            lane.finish(program, checks, server)
        return checks.exit_code()
    run_test(body, limit + 200)


if __name__ == "__main__":
    main(sys.argv[1])
