#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Table (Markdown, on stdout) and plot of what codynamo-policies measured; JSON for the report.

    table.py FIGURES.csv PLOT.svg [FIGURES.json]
"""
import csv
import json
import sys
from collections import defaultdict

COLUMNS = ["codynamo w_tinylfu", "codynamo s3_fifo", "codynamo lru", "w-tinylfu-1", "w-tinylfu-20",
           "s3-fifo", "arc", "sieve", "lru", "optimum"]
COLOURS = {"codynamo w_tinylfu": "#c0392b", "w-tinylfu-1": "#2471a3", "s3-fifo": "#1e8449",
           "lru": "#7f8c8d", "optimum": "#000000"}


def read(path):
    """{(trace, size): {policy: percent}}, in the file's order."""
    cells = defaultdict(dict)
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            cells[row["trace"], int(row["size"])][row["policy"]] = (
                100 * int(row["hits"]) / int(row["requests"]))
    return cells


def mean(cells, policy):
    return sum(cell[policy] for cell in cells) / len(cells)


def row(name, cells):
    """The best one that cannot see the future is bold."""
    values = [mean(cells, policy) for policy in COLUMNS]
    best = max(values[:-1])
    shown = [f"**{v:.2f}**" if v == best and i < len(values) - 1 else f"{v:.2f}"
             for i, v in enumerate(values)]
    return f"| {name} | " + " | ".join(shown) + " |"


def table(cells):
    yield "| trace, entries | " + " | ".join(COLUMNS) + " |"
    yield "|---|" + "---:|" * len(COLUMNS)
    for (trace, size), cell in cells.items():
        yield row(f"{trace}, {size}", [cell])
    for trace in dict.fromkeys(trace for trace, _ in cells):
        yield row(f"mean of {trace}", [c for (t, _), c in cells.items() if t == trace])
    yield row(f"**mean of all {len(cells)}**", list(cells.values()))


def panel(cells, trace, x, y, width, height):
    """One trace: percent by size, sizes evenly spaced."""
    sizes = [size for t, size in cells if t == trace]
    top = max(max(cells[trace, s].values()) for s in sizes) or 1
    yield f'<text x="{x}" y="{y - 6}" font-weight="bold">{trace}</text>'
    yield (f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="none" '
           f'stroke="#bbb"/>')
    at = {s: x + width * i / max(1, len(sizes) - 1) for i, s in enumerate(sizes)}
    for share in (0, 0.5, 1):
        yield (f'<text x="{x - 4}" y="{y + height * (1 - share) + 4:.0f}" text-anchor="end">'
               f'{top * share:.0f}</text>')
    for s in (sizes[0], sizes[len(sizes) // 2], sizes[-1]):
        yield f'<text x="{at[s]:.0f}" y="{y + height + 14}" text-anchor="middle">{s}</text>'
    for policy, colour in COLOURS.items():
        points = " ".join(f"{at[s]:.0f},{y + height * (1 - cells[trace, s][policy] / top):.0f}"
                          for s in sizes)
        dash = ' stroke-dasharray="4 3"' if policy == "optimum" else ""
        yield (f'<polyline points="{points}" fill="none" stroke="{colour}" '
               f'stroke-width="1.6"{dash}/>')


def plot(cells):
    traces = list(dict.fromkeys(trace for trace, _ in cells))
    width, height, across = 220, 140, 3
    rows = -(-len(traces) // across)
    yield (f'<svg xmlns="http://www.w3.org/2000/svg" width="{across * 280 + 20}" '
           f'height="{rows * 200 + 50}" font-family="sans-serif" font-size="11">')
    yield '<rect width="100%" height="100%" fill="white"/>'
    for i, (policy, colour) in enumerate(COLOURS.items()):
        yield (f'<line x1="{40 + i * 160}" y1="16" x2="{62 + i * 160}" y2="16" '
               f'stroke="{colour}" stroke-width="3"/>')
        yield f'<text x="{68 + i * 160}" y="20">{policy}</text>'
    for i, trace in enumerate(traces):
        yield from panel(cells, trace, 40 + i % across * 280, 50 + i // across * 200, width,
                         height)
    yield "</svg>"


def document(cells):
    """Percent: means of each trace, and of all cells."""
    def means(chosen):
        return {policy: mean(chosen, policy) for policy in COLUMNS}
    traces = {trace: means([c for (t, _), c in cells.items() if t == trace])
              for trace in dict.fromkeys(trace for trace, _ in cells)}
    return {"kind": "policies", "format": 1, "complete": True, "cells": len(cells),
            "traces": traces, "mean": means(list(cells.values()))}


def main(arguments):
    if len(arguments) not in (2, 3):
        sys.exit(__doc__)
    cells = read(arguments[0])
    if not cells:
        sys.exit(f"{arguments[0]}: no figures")
    print("\n".join(table(cells)))
    with open(arguments[1], "w", encoding="utf-8") as file:
        file.write("\n".join(plot(cells)) + "\n")
    if arguments[2:]:
        with open(arguments[2], "w", encoding="utf-8") as file:
            json.dump(document(cells), file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1:])
