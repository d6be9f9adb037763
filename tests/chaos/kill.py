#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""The local server is killed with SIGKILL and started again at random times, while writers and
readers go on. Afterwards every acknowledged write is read back.

    kill.py BENCH      the program codynamo-bench
CODYNAMO_CHAOS_SECONDS is how long, about (default 10; two kills at least), CODYNAMO_CHAOS_SEED
repeats the times.
"""
import sys
import time

from chaos import (AWAY, STOPPED, Checks, Server, Soak, run_test, say, scratch, seconds, seeded,
                   verify)

WORKERS = 64
BACK_WITHIN_S = 2.0
# Attempts are repeated for less than that, so that a shorter absence may go unnoticed.
ALWAYS_NOTICED_S = 0.9
# The share of the earlier throughput that counts as back; other programs may share the machine.
BACK_SHARE = 0.3


def kill_at_random(soak, server, chance, until):
    """Times of death and of the first answer afterwards, for each kill."""
    lives = []
    while len(lives) < 2 or time.time() < until:
        time.sleep(chance.uniform(2.5, 5.0))
        soak.must_run()
        server.kill()
        died = time.time()
        time.sleep(chance.uniform(0 if lives else ALWAYS_NOTICED_S, 1.5))
        server.restart()
        lives.append((died, time.time()))
        say(f"killed, and back after {lives[-1][1] - died:.1f} s")
    time.sleep(BACK_WITHIN_S + 1)
    return lives


def back_after(soak, ready, wanted):
    """Seconds until half a second holds `wanted` successes."""
    lines = [line for line in soak.series() if line["unix_ms"] > ready * 1000]
    for last in range(len(lines)):
        span = lines[max(0, last - 4):last + 1]
        if sum(line["reads"] + line["writes"] for line in span) >= max(wanted, 1):
            return lines[last]["unix_ms"] / 1000 - ready
    return float("inf")


def first_write_after(soak, ready):
    """Seconds until a write succeeded."""
    times = [line["unix_ms"] / 1000 - ready for line in soak.series()
             if line["unix_ms"] > ready * 1000 and line["writes"] > 0]
    return min(times, default=float("inf"))


def check_lives(checks, soak, lives, before):
    for number, (died, ready) in enumerate(lives, 1):
        _, away = soak.between(died, ready)
        back = back_after(soak, ready, BACK_SHARE * before / 2)
        until = lives[number][0] - 0.3 if number < len(lives) else float("inf")
        _, after = soak.between(ready + BACK_WITHIN_S, until)
        write = first_write_after(soak, ready)
        say(f"kill {number}: {away['errors']} while away; throughput back {back:.2f} s after it "
            f"was ready, the first write {write:.2f} s")
        checks.that(away["errors"] or ready - died < ALWAYS_NOTICED_S,
                    f"kill {number}: nothing failed while the server was away")
        checks.that(write <= BACK_WITHIN_S, f"kill {number}: the first write after {write:.2f} s")
        checks.that(back <= BACK_WITHIN_S, f"kill {number}: back after {back:.2f} s only")
        # On a busy machine a call may run into its own timeout.
        checks.that(set(after["errors"]) <= {"timeout"},
                    f"kill {number}: still {after['errors']} after {BACK_WITHIN_S} s")


def check_figures(checks, code, figures):
    say(f"soak: {figures}")
    checks.that(code == STOPPED, f"the soak ended with {code}")
    checks.that(figures.get("wrong_reads", {}).get("total") == 0, "wrong reads")
    checks.that(figures.get("wrong_writes") == 0, "wrong answers to writes")
    seen = set(figures["errors"]["write"]) | set(figures["errors"]["read"])
    checks.that(seen and seen <= AWAY, f"errors {sorted(seen)}; clear ones are {sorted(AWAY)}")


def main(program):
    def body(stack):
        checks = Checks()
        chance = seeded("kill")
        duration = seconds(10)
        folder = stack.enter_context(scratch())
        server = stack.enter_context(Server(folder / "table.db"))
        soak = stack.enter_context(Soak(program, folder, server.url, duration=duration + 300,
                                        writers=WORKERS, readers=WORKERS, keys=5000))
        soak.wait_for_success()
        time.sleep(0.5)
        warm = time.time()
        lives = kill_at_random(soak, server, chance, warm + duration)
        soak.stop()
        code, figures = soak.wait()
        window, before = soak.between(warm, lives[0][0])
        check_lives(checks, soak, lives, before["ok"] / max(len(window), 1) * 10)
        check_figures(checks, code, figures)

        # What is read back comes from the file, not from the memory of the process that wrote it.
        server.kill()
        server.restart()
        code, found = verify(program, soak.log, server.url)
        say(f"verification: {found}")
        checks.that(code == 0, f"the verification ended with {code}")
        checks.that(found.get("acknowledged") == figures["acknowledged"] > 0,
                    "the log does not hold what was acknowledged")
        checks.that(found.get("lost") == 0 and found.get("wrong") == 0, "lost or wrong")
        return checks.exit_code()
    run_test(body, seconds(10) + 200)


if __name__ == "__main__":
    main(sys.argv[1])
