#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Medians and spreads of the runs that wire-vs-floor.sh left in a folder, as a table and as JSON.

    ratio.py FOLDER CONCURRENCY [--json FILE]
"""
import json
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "peers"))
import machine  # noqa: E402

FIGURES = [("cpu_us_per_op", "CPU us/op"), ("ops_per_s", "ops/s"),
           ("allocations_per_op", "allocs/op"), ("p50", "p50 us"), ("p99", "p99 us")]


def figure(run, name):
    return run["latency_us"][name] if name.startswith("p") and name[1:].isdigit() else run[name]


def summary(folder, mode, who):
    runs = [json.loads(path.read_text()) for path in sorted(folder.glob(f"{mode}.{who}.*"))]
    values = {name: [figure(run, name) for run in runs] for name, _ in FIGURES}
    return {"rounds": len(runs), "errors": sum(run["errors"] for run in runs),
            **{name: {"median": statistics.median(v), "min": min(v), "max": max(v)}
               for name, v in values.items()}}


def cell(spread):
    digits = 0 if spread["median"] >= 1000 else 2
    return "{median:.{d}f} ({min:.{d}f}–{max:.{d}f})".format(d=digits, **spread)


def main(folder, concurrency, json_file):
    result = {"kind": "floor", "format": 1, "complete": True, "machine": machine.description(),
              "concurrency": concurrency}
    rows = [["", *[title for _, title in FIGURES]]]
    for mode in ("plain", "tls"):
        result[mode] = {who: summary(folder, mode, who) for who in ("floor", "codynamo")}
        for who in ("floor", "codynamo"):
            rows.append([f"{mode} {who}", *[cell(result[mode][who][name]) for name, _ in FIGURES]])
        ratio = (result[mode]["codynamo"]["cpu_us_per_op"]["median"]
                 / result[mode]["floor"]["cpu_us_per_op"]["median"])
        result[mode]["cpu_ratio"] = ratio
        rows.append([f"{mode} ratio", f"{ratio:.2f} x", *[""] * (len(FIGURES) - 1)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())
    if json_file:
        Path(json_file).write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[4] if sys.argv[3:4] == ["--json"] else None)
