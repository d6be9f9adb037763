#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Gets of a 1 KiB value by codynamo and by other clients of DynamoDB: in turns, several rounds,
client on core 0, server on core 1, against fixed answers and against local servers of DynamoDB."""
import argparse
import dataclasses
import datetime
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import clients
import figures
import json_option
import machine
import servers
import terminal

ROOT = Path(__file__).resolve().parents[2]
# More than this share of a core used by others: the run is repeated once, then marked.
OTHER_LOAD_LIMIT = 0.10
# Beyond warm-up and window, for start and end; then it is killed.
GRACE_SECONDS = 60


class Failed(Exception):
    """Why a run has no figures."""


class Interrupted(Exception):
    """Ctrl-C: what was measured so far is what there is."""


class Interruption:
    """Noted, and acted on where nothing is left half done."""

    def __init__(self):
        self.noted = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.note)

    def note(self, *_):
        self.noted = True

    def check(self):
        if self.noted:
            raise Interrupted


class Progress:
    """One line on a terminal; nothing elsewhere."""

    def __init__(self, total, wanted):
        self.total, self.done, self.begin = total, 0, time.monotonic()
        self.wanted = wanted and sys.stderr.isatty()
        self.latest = ""

    def show(self, text):
        if self.wanted:
            left = ""
            if self.done:
                seconds = (time.monotonic() - self.begin) / self.done * (self.total - self.done)
                left = f", {seconds / 60:.0f} min" if seconds > 90 else f", {seconds:.0f} s"
                left += " left"
            terminal.show(f"[{self.done}/{self.total}{left}] {text}{self.latest}")

    def clear(self):
        if self.wanted:
            terminal.show("")


def children_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def wait_for(process, deadline, sample, interruption):
    """Polls until the process ends; the samples, each with its time."""
    samples = [(time.monotonic(), sample())]
    while process.poll() is None:
        if interruption.noted or time.monotonic() > deadline:
            # Its session is its own, so its children are ended too.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            interruption.check()
            raise Failed("did not end in time")
        time.sleep(0.05)
        samples.append((time.monotonic(), sample()))
    return samples


def share_of_window(samples, seconds):
    """How much of a core was used in the measured window, which ends where the samples do."""
    end, used = samples[-1]
    begin, before = max((each for each in samples if each[0] <= end - seconds),
                        default=samples[0])
    return (used - before) / (end - begin) if end > begin else 0.0


class Harness:
    def __init__(self, options, interruption):
        self.options, self.interruption = options, interruption
        self.server_core = 1 if os.cpu_count() > 1 else 0
        self.cores = {0, self.server_core}
        self.environment = clients.environment()
        self.runs, self.failed, self.versions, self.servers = [], [], {}, {}

    def measure(self, client, server, concurrency):
        """One run: its figures and what else went on."""
        with tempfile.TemporaryDirectory() as folder:
            output = Path(folder, "figures.json")
            command = ["taskset", "-c", "0", *client.words(self.options.bin),
                       client.server_option, server.url, "--table", servers.TABLE, "--key", servers.KEY,
                       "--concurrency", str(concurrency), "--seconds", str(self.options.seconds),
                       "--warmup", str(client.warmup), "--json", str(output)]
            with open(Path(folder, "errors"), "w+", encoding="utf-8") as errors:
                begin, busy, own = time.monotonic(), machine.busy_now(self.cores), children_cpu()
                served = machine.used_by(server.pids)
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=errors,
                                           stdout=subprocess.DEVNULL, env=self.environment,
                                           start_new_session=True)
                samples = wait_for(process, begin + client.warmup + self.options.seconds
                                   + GRACE_SECONDS, lambda: machine.used_by(server.pids),
                                   self.interruption)
                elapsed, busy = time.monotonic() - begin, machine.busy_now(self.cores) - busy
                own, served = children_cpu() - own, machine.used_by(server.pids) - served
                if process.returncode:
                    errors.seek(0)
                    words = errors.read().strip().splitlines()
                    raise Failed(words[0] if words else f"exit code {process.returncode}")
            found = json.loads(output.read_text(encoding="utf-8"))
        return {"figures": found, "server_cpu": share_of_window(samples, self.options.seconds),
                "client_cpu": found["cpu_us_per_op"] * found["ops_per_s"] / 1e6,
                "other_load": max(0.0, (busy - own - served) / elapsed)}

    def warm(self, server, client, progress):
        """Load that is not measured."""
        if server.warmup:
            progress.show(f"warming {server.title} up")
            try:
                self.measure(dataclasses.replace(client, warmup=server.warmup), server, 32)
            except Failed:
                pass  # so will the first round, and say so

    def run(self, client, server, concurrency, number):
        """With one repetition if others disturbed it; of the two the quieter one counts."""
        place = {"server": server.name, "concurrency": concurrency, "client": client.name,
                 "round": number}
        attempts = []
        while not attempts or (len(attempts) < 2
                               and figures.is_noisy(attempts[-1], OTHER_LOAD_LIMIT)):
            attempts.append({**place, "attempt": len(attempts) + 1,
                             **self.measure(client, server, concurrency)})
        best = figures.better_attempt(attempts)
        self.runs += [{**each, "counted": each is best} for each in attempts]
        self.versions.setdefault(client.name, best["figures"].get("version",
                                                                  clients.own_version()))
        return best["figures"]

    def cell(self, chosen, server, concurrency, progress):
        """All rounds at one server and concurrency. Who failed once is not asked again."""
        out = set()
        for number in range(1, self.options.rounds + 1):
            # Everybody has every place in the order.
            turn = (number - 1) % len(chosen)
            for client in chosen[turn:] + chosen[:turn]:
                self.interruption.check()
                progress.show(f"{server.title}, {concurrency} in flight, round {number} of "
                              f"{self.options.rounds}: {client.name}")
                if client.name not in out:
                    try:
                        found = self.run(client, server, concurrency, number)
                        progress.latest = f" (the last: {found['ops_per_s']:,.0f} gets/s)"
                    except Failed as why:
                        out.add(client.name)
                        self.failed.append({"server": server.name, "concurrency": concurrency,
                                            "client": client.name, "round": number,
                                            "reason": str(why)})
                progress.done += 1

    def everything(self, chosen, wanted, progress):
        """The servers that could not be had, with the reasons."""
        missing = {}
        for server in wanted:
            self.interruption.check()
            progress.show(f"starting {server.title}")
            try:
                server.start(self.server_core)
            except servers.Unavailable as why:
                self.interruption.check()
                missing[server.name] = str(why)
                continue
            try:
                self.servers[server.name] = {"title": server.title, "url": server.url,
                                             "version": servers.version_of(server.url),
                                             "package_version": server.package_version}
                self.warm(server, chosen[0], progress)
                for concurrency in self.options.concurrency:
                    self.cell(chosen, server, concurrency, progress)
            finally:
                server.stop()
        return missing

    def document(self, chosen, skipped, complete):
        options = self.options
        return {"kind": "peers", "format": 2, "complete": complete,
                "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                "machine": machine.description(),
                "method": {"rounds": options.rounds, "seconds": options.seconds,
                           "concurrency": options.concurrency, "value_bytes": len(servers.VALUE),
                           "client_core": 0, "server_core": self.server_core,
                           "servers": self.servers,
                           "other_load_limit": OTHER_LOAD_LIMIT},
                "clients": {client.name: {"what": client.what, "warmup_seconds": client.warmup,
                                          "version": self.versions.get(client.name)}
                            for client in chosen},
                "skipped": skipped, "failed": self.failed,
                "results": figures.results(self.runs, OTHER_LOAD_LIMIT), "runs": self.runs}


def arguments():
    names = [client.name for client in clients.CLIENTS]
    parser = argparse.ArgumentParser(prog="codynamo-bench peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--seconds", type=float, default=3, help="of a run; default: 3")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 32, 256], metavar="N",
                        help="gets in flight; default: 1 32 256")
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME",
                        help="of " + ", ".join(names))
    parser.add_argument("--server", nargs="+", type=servers.named, metavar="SERVER",
                        default=[servers.named(name) for name in servers.DEFAULTS],
                        help="of " + ", ".join(servers.NAMES) + ", or a URL; default: "
                        + " ".join(servers.DEFAULTS))
    parser.add_argument("--bin", metavar="FOLDER", help="has codynamo-bench and codynamo-floor; "
                        "without it they are built, and what is missing is installed")
    json_option.add_to(parser)
    options = parser.parse_args()
    if options.rounds < 1 or not 0.1 <= options.seconds <= 3600 or min(options.concurrency) < 1:
        parser.error("--rounds and --concurrency want 1 or more, --seconds 0.1 to 3600")
    return options


def prepare(chosen, options):
    """Installs and builds what is missing; its output goes to stderr."""
    wanted = [client.name for client in chosen if "{installed}" in client.command]
    parts = ["build", "bench"] + [part for server in options.server for part in server.parts]
    parts += ["peers"] * any(client.name == "wrk" or client.name in wanted for client in chosen)
    cmake = ["cmake", "--build", "--preset", "release", "-j", str(os.cpu_count()), "--target",
             "codynamo_bench", "codynamo_floor"]
    for command in ([ROOT / "tools/install-dependencies.sh", *parts],
                    ["cmake", "--preset", "release"], cmake):
        done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, stdin=subprocess.DEVNULL,
                              env={**os.environ, "CODYNAMO_PEERS": " ".join(wanted)})
        if done.returncode:
            sys.exit(f"peers: {command[0]} failed")
    options.bin = ROOT / "build/release/bench"


def main():
    options = arguments()
    chosen = [each for each in clients.CLIENTS if not options.only or each.name in options.only]
    if not options.bin:
        prepare(chosen, options)
    reasons = {client.name: clients.skip_reason(client, options.bin) for client in chosen}
    chosen = [client for client in chosen if not reasons[client.name]]
    if not chosen:
        sys.exit("peers: nobody to measure: " + "; ".join(
            f"{name}: {why}" for name, why in reasons.items()))
    skipped = {name: why for name, why in reasons.items() if why}
    progress = Progress(len(chosen) * len(options.server) * len(options.concurrency) * options.rounds,
                        not json_option.is_stdout(options))
    interruption = Interruption()
    harness = Harness(options, interruption)
    complete = True
    try:
        skipped.update(harness.everything(chosen, options.server, progress))
    except Interrupted:
        complete = False
    progress.clear()
    document = harness.document(chosen, skipped, complete)
    # The table leaves stdout to the JSON when that goes there.
    table_goes_to = sys.stderr if json_option.is_stdout(options) else sys.stdout
    print(figures.markdown(document), end="", file=table_goes_to)
    if options.json:
        options.json.write(document)
    if not complete:
        return 130
    return 1 if harness.failed or not harness.runs else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:  # while installing or building
        sys.exit(130)
