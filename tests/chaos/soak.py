#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""A long soak under every fault there is: toxics come and go, the server is killed now and then.
Memory and descriptors have to stay flat, and nothing acknowledged may be lost.

    soak.py BENCH [SECONDS]     the program codynamo-bench; 600 by default
CODYNAMO_CHAOS_SEED repeats the faults.
"""
import sys
import time

from chaos import (AWAY, STOPPED, Checks, Server, Soak, Toxiproxy, run_test, say, scratch, seeded,
                   verify)
from toxiproxy import CASES, mend, spoil

WORKERS = 32
# Per minute. A leak of one small object for each failed call would be a hundred times as much.
MOST_RSS_KIB = 256
MOST_DESCRIPTORS = 2
# Slopes of less than that say nothing.
SLOPE_COUNTS_FROM_S = 300


def disturb(soak, server, proxy, chance, until):
    """Returns how many toxics and kills there were."""
    toxics = kills = 0
    kill_at = time.time() + chance.uniform(10, 40)
    while time.time() < until:
        soak.must_run()
        if time.time() >= kill_at:
            server.kill()
            time.sleep(chance.uniform(0, 2))
            server.restart()
            kills += 1
            kill_at = time.time() + chance.uniform(30, 60)
        case = chance.choice(CASES)
        spoil(proxy, case)
        time.sleep(chance.uniform(0.5, 3))
        mend(proxy, case)
        toxics += 1
        time.sleep(chance.uniform(1, 4))
        say(f"{toxics} toxics, {kills} kills; last: {case.name}")
    return toxics, kills


def check(checks, duration, code, figures):
    checks.that(code == STOPPED, f"the soak ended with {code}")
    seen = set(figures["errors"]["write"]) | set(figures["errors"]["read"])
    checks.that(seen <= AWAY, f"errors {sorted(seen)}; clear ones are {sorted(AWAY)}")
    rss = figures["rss_slope_kib_per_min"]
    descriptors = figures["descriptor_slope_per_min"]
    say(f"slopes over {figures['samples']} s: {rss:.1f} KiB of RSS a minute, {descriptors:.3f} "
        f"descriptors a minute")
    if duration >= SLOPE_COUNTS_FROM_S:
        checks.that(rss <= MOST_RSS_KIB, f"RSS grows by {rss:.0f} KiB a minute")
        checks.that(descriptors <= MOST_DESCRIPTORS,
                    f"descriptors grow by {descriptors:.2f} a minute")


def main(program, duration):
    def body(stack):
        checks = Checks()
        chance = seeded("soak")
        folder = stack.enter_context(scratch())
        server = stack.enter_context(Server(folder / "table.db"))
        proxy = stack.enter_context(Toxiproxy(server.port)).proxy("soak")
        # So long that it is stopped from here: its slopes leave the first ten seconds out.
        soak = stack.enter_context(Soak(program, folder, proxy.url, duration=duration + 300,
                                        writers=WORKERS, readers=WORKERS, keys=5000,
                                        interval_ms=1000, attempt_timeout=1000, call_timeout=3000))
        soak.wait_for_success()
        toxics, kills = disturb(soak, server, proxy, chance, time.time() + duration)
        soak.stop()
        code, figures = soak.wait()
        say(f"{toxics} toxics, {kills} kills; {figures}")
        check(checks, duration, code, figures)
        code, found = verify(program, soak.log, server.url)
        say(f"verification: {found}")
        checks.that(code == 0 and found["acknowledged"] == figures["acknowledged"] > 0,
                    f"the verification ended with {code}")
        return checks.exit_code()
    run_test(body, duration + 300)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 600.0)
