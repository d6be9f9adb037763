# SPDX-License-Identifier: BSL-1.0
"""Plots as SVG that stands in a page: its text is text, and its colours are the page's."""
import io
import re

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator  # noqa: E402

from sections import Bars, number  # noqa: E402

# Stand-ins for what the page's style decides, by light and dark.
STAND_INS = {"#0a0b0c": "var(--ink)", "#0a0b0d": "var(--rule)", "#0a0b0e": "var(--bar)",
             "#0a0b0f": "var(--mark)"}
INK, RULE, BAR, MARK = STAND_INS
# Told apart by the colour-blind too, and readable on white and on nearly black.
COLOURS = [MARK, "#4c8fd0", "#2a9d77", "#b07cc6", "#d08a2e", "#7d8a97", "#c2588f", "#8c9a2c",
           "#5bb0c0", "#a0705a"]
MARKERS = "osD^v<>ph*"
plt.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "codynamo", "font.family": "sans-serif",
    "font.size": 10, "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.edgecolor": RULE, "grid.color": RULE, "axes.titlecolor": INK})


def bare_axes(axes):
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_axisbelow(True)


def draw_bars(axes, figure, plot):
    bars = plot.bars[::-1]
    values = [bar[1] for bar in bars]
    colours = [MARK if bar[0].split(" *")[0] == plot.marked else BAR for bar in bars]
    axes.barh(range(len(bars)), values, color=colours, height=0.62)
    for place, (_, value, low, high) in enumerate(bars):
        if low != high:
            axes.plot([low, high], [place, place], color=INK, linewidth=1.2)
            axes.plot([low, high], [place, place], "|", color=INK, markersize=6)
        axes.annotate(number(value), (max(value, high), place), xytext=(6, 0),
                      textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(range(len(bars)), [shortened(bar[0]) for bar in bars])
    axes.grid(axis="x", linewidth=0.6)
    axes.set_xlabel(plot.unit)
    largest, least = max(bar[3] for bar in bars), min(bar[2] for bar in bars)
    if plot.log and least > 0:
        axes.set_xscale("log")
        # The bars need somewhere to begin, and the numbers somewhere to stand.
        axes.set_xlim(least / 2, largest * (largest / least) ** 0.18 * 1.3)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_xlim(0, largest * 1.15)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    figure.set_size_inches(6.6, 0.9 + 0.28 * len(bars))


def draw_lines(axes, figure, plot):
    ours = {"codynamo", "on"}
    for place, (name, x, y) in enumerate(plot.lines):
        mine = name in ours
        axes.plot(x, y, marker=MARKERS[place % len(MARKERS)], markersize=4, label=shortened(name),
                  linewidth=2.4 if mine else 1.4,
                  color=MARK if mine else COLOURS[1 + place % (len(COLOURS) - 1)])
    axes.grid(linewidth=0.6)
    axes.set_xlabel(plot.x)
    axes.set_ylabel(plot.y)
    if plot.log_x:
        ticks = sorted({x for _, xs, _ in plot.lines for x in xs})
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
    if plot.log_y:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=9)
    figure.set_size_inches(6.6, 3.2)


def shortened(name, most=44):
    """Its end says more than its beginning."""
    name = re.sub(r"^codynamo::(?=.*::)", "", name)
    return name if len(name) <= most else "…" + name[1 - most:]


def embedded(svg, prefix):
    """Without a prologue and fixed colours; names of its own among other plots of the page."""
    svg = svg[svg.index("<svg"):]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    for stand_in, colour in STAND_INS.items():
        svg = svg.replace(stand_in, colour)
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    svg = re.sub(r' style="fill: #ffffff"', ' style="fill: none"', svg)
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', "", svg, count=1)


def draw(plot, prefix):
    figure, axes = plt.subplots()
    try:
        bare_axes(axes)
        (draw_bars if isinstance(plot, Bars) else draw_lines)(axes, figure, plot)
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        out = io.StringIO()
        figure.savefig(out, format="svg", bbox_inches="tight", pad_inches=0.05,
                       metadata={"Date": None})
    finally:
        plt.close(figure)
    return embedded(out.getvalue(), prefix)
