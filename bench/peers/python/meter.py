# SPDX-License-Identifier: BSL-1.0
"""The loop that the Python drivers share, and what it writes: the keys of `codynamo-bench wire`."""
import argparse
import asyncio
import json
import platform
import resource
import sys
import threading
import time

EXPECTED = b"0123456789abcdef" * 64
WARM_UP, MEASURED, OVER = range(3)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True, help="URL of the server")
    parser.add_argument("--table", default="cache", help="name of the table")
    parser.add_argument("--key", default="1k", help="key of the value to get")
    parser.add_argument("--concurrency", type=int, default=32, help="gets in flight")
    parser.add_argument("--warmup", type=float, default=1, help="seconds not measured, before")
    parser.add_argument("--seconds", type=float, default=10, help="how long to measure")
    parser.add_argument("--json", required=True, help="file for the figures")
    return parser.parse_args()


def cpu_seconds(whose=resource.RUSAGE_SELF):
    used = resource.getrusage(whose)
    return used.ru_utime + used.ru_stime


def report(options, version, seconds, cpu, latency_us, ops, errors, failure,
           rss=None):
    """Writes the figures; the exit code: 0, or 3 when something failed."""
    rss = rss or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    with open(options.json, "w", encoding="utf-8") as file:
        json.dump({"version": version, "ops": ops, "errors": errors, "seconds": seconds,
                   "ops_per_s": ops / seconds, "cpu_us_per_op": cpu * 1e6 / max(ops, 1),
                   "allocations_per_op": None, "latency_us": latency_us,
                   "peak_rss_bytes": rss}, file)
    if failure:
        print(f"first failure: {failure}", file=sys.stderr)
    return 3 if failure or not ops else 0


class Loop:
    """Gets of one key by as many lanes as the options say, within a window after a warm-up."""

    def __init__(self, options):
        self.options = options
        self.phase = WARM_UP
        self.latencies = []
        self.errors = 0
        self.failure = None

    def fail(self, why):
        self.failure = self.failure or why
        self.errors += self.phase == MEASURED

    def over_after(self, begin, value):
        if value != EXPECTED:
            self.fail(f"another value: {value!r}")
        elif self.phase == MEASURED:
            self.latencies.append(time.perf_counter_ns() - begin)
        return self.phase == OVER

    def window(self):
        """Yields how long to sleep, twice."""
        yield self.options.warmup
        self.phase = MEASURED
        begin, cpu = time.perf_counter(), cpu_seconds()
        yield self.options.seconds
        self.phase = OVER
        self.seconds, self.cpu = time.perf_counter() - begin, cpu_seconds() - cpu

    def run_threads(self, get):
        """For blocking clients: a thread a lane; get() returns the value's bytes."""
        def lane():
            over = False
            while not over:
                begin = time.perf_counter_ns()
                try:
                    over = self.over_after(begin, get())
                except Exception as why:
                    self.fail(repr(why))
                    over = self.phase == OVER

        threads = [threading.Thread(target=lane) for _ in range(self.options.concurrency)]
        for thread in threads:
            thread.start()
        for pause in self.window():
            time.sleep(pause)
        for thread in threads:
            thread.join()

    async def run_tasks(self, get):
        """For asyncio: a task a lane; get() is a coroutine function."""
        async def lane():
            over = False
            while not over:
                begin = time.perf_counter_ns()
                try:
                    over = self.over_after(begin, await get())
                except Exception as why:
                    self.fail(repr(why))
                    await asyncio.sleep(0.001)  # or the clock would starve when it fails at once
                    over = self.phase == OVER

        tasks = [asyncio.create_task(lane()) for _ in range(self.options.concurrency)]
        for pause in self.window():
            await asyncio.sleep(pause)
        await asyncio.gather(*tasks)

    def report(self, version):
        ordered = sorted(self.latencies) or [0]
        latency = {name: ordered[min(int(len(ordered) * share), len(ordered) - 1)] / 1e3
                   for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999),
                                       ("max", 1))}
        version += f", Python {platform.python_version()}"
        return report(self.options, version, self.seconds, self.cpu, latency, len(self.latencies),
                      self.errors, self.failure)
