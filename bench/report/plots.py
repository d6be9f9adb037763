# SPDX-License-Identifier: BSL-1.0
"""Plots as SVG that stands in a page: its text is text, and its colours are the page's."""
import io
import re

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import (FuncFormatter, LogLocator, MaxNLocator,  # noqa: E402
                               NullFormatter, NullLocator)

from sections import Bars, number  # noqa: E402

# Stand-ins for what the page's style decides, by light and dark.
STAND_INS = {"#0a0b0c": "var(--ink)", "#0a0b0d": "var(--rule)", "#0a0b0e": "var(--bar)",
             "#0a0b0f": "var(--mark)"}
INK, RULE, BAR, MARK = STAND_INS
# Told apart by the colour-blind too, and readable on white and on nearly black.
COLOURS = [MARK, "#4c8fd0", "#2a9d77", "#b07cc6", "#d08a2e", "#7d8a97", "#c2588f", "#8c9a2c",
           "#5bb0c0", "#a0705a"]
MARKERS = "osD^v<>ph*"
OURS = {"codynamo", "on"}
PLAIN = FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
plt.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "codynamo", "font.family": "sans-serif",
    "font.size": 11, "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.edgecolor": RULE, "grid.color": RULE, "axes.titlecolor": INK})


def bare_axes(axes):
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, which="both")
    axes.set_axisbelow(True)


def log_axis(axis, least, largest):
    """Powers of ten; where there are too few of them, what lies between too."""
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(LogLocator(subs=(1,) if largest / least > 30 else (1, 2, 5)))
    axis.set_major_formatter(PLAIN)
    axis.set_minor_formatter(NullFormatter())


def colour_of(name, names):
    """The same in every plot that has the same names, whatever their order."""
    return MARK if name in OURS else COLOURS[1 + sorted(names).index(name) % (len(COLOURS) - 1)]


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
        log_axis(axes.xaxis, least, largest)
        # The bars need somewhere to begin, and the numbers somewhere to stand.
        axes.set_xlim(least / 2, largest * (largest / least) ** 0.18 * 1.3)
    else:
        axes.set_xlim(0, largest * 1.15)
        axes.xaxis.set_major_formatter(PLAIN)
        axes.xaxis.set_major_locator(MaxNLocator(4))
    figure.set_size_inches(4.0, 0.6 + 0.27 * len(bars))


def draw_lines(axes, figure, plot):
    names = [line[0] for line in plot.lines]
    for place, (name, x, y) in enumerate(plot.lines):
        axes.plot(x, y, marker=MARKERS[place % len(MARKERS)], markersize=4, label=shortened(name),
                  linewidth=2.4 if name in OURS else 1.4, color=colour_of(name, names))
    axes.grid(linewidth=0.6)
    axes.set_xlabel(plot.x)
    axes.set_ylabel(plot.y)
    if plot.log_x:
        ticks = sorted({x for _, xs, _ in plot.lines for x in xs})
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{tick:,g}" for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
    if plot.log_y:
        values = [y for _, _, ys in plot.lines for y in ys if y > 0] or [1]
        log_axis(axes.yaxis, min(values), max(values))
    else:
        axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=9)
    figure.set_size_inches(3.9, 2.9)


def shortened(name, most=36):
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
    # As large as it was drawn, so that all have letters of one size; the page makes it fit.
    return re.sub(r'width="([\d.]+)pt" height="[\d.]+pt"',
                  lambda size: f'width="{float(size[1]) * 4 / 3:.0f}"', svg, count=1)


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
