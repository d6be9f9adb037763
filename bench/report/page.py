# SPDX-License-Identifier: BSL-1.0
"""The page and its Markdown, of targets, sections and notes."""
from html import escape

import results as found
import targets

METHOD = (
    "Every measurement warms up first, verifies what it reads, and fails on a wrong value. Client "
    "and server are different processes on different cores where the title says so; clients that "
    "are compared take turns over several rounds, and the median counts, with the smallest and the "
    "largest in parentheses. CPU per get is user and system time of the client's process.",
    "Noise: what others used of the machine during a run is measured and shown as other load, a "
    "share of one core. Above 10 % a run is marked with *, and its time is worth less; CPU time "
    "and ratios within a round suffer less than the wall's time, counts of instructions not at all.")

STYLE = """
:root { color-scheme: light dark; --ink: #1d232a; --soft: #57606a; --paper: #fff; --rule: #d4d9df;
  --band: #f5f7f9; --bar: #9fb4c8; --mark: #d1495b; --good: #1a7f4b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ec; --soft: #9aa4af; --paper: #14181d;
  --rule: #343c45; --band: #1b2128; --bar: #5d7892; --mark: #f0788a; --good: #5fd39b;
  --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.2rem clamp(0.8rem, 3vw, 2.5rem) 4rem; max-width: 1240px;
  background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.9rem; margin: 0.6rem 0 0.2rem; } h2 { margin: 2.6rem 0 0.4rem;
  padding-top: 0.6rem; border-top: 1px solid var(--rule); font-size: 1.35rem; } h3 { font-size: 1.02rem; margin: 1.4rem 0
  0.4rem; } p { max-width: 78ch; margin: 0.4rem 0; } .soft { color: var(--soft); }
nav a { margin-right: 1rem; white-space: nowrap; } a { color: inherit; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: 0.88rem;
  font-variant-numeric: tabular-nums; margin: 0.3rem 0; }
th, td { padding: 0.28rem 0.9rem 0.28rem 0; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--rule); } th:first-child, td:first-child { text-align: left; }
th { color: var(--soft); font-weight: 600; } tbody tr:hover { background: var(--band); }
.targets td:first-child { white-space: normal; min-width: 13rem; }
.met { color: var(--good); } .missed { color: var(--bad); font-weight: 600; }
.plots { display: grid; gap: 1.2rem 2rem; margin-top: 1rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); align-items: start; }
figure { margin: 0; overflow-x: auto; } figcaption { font-size: 0.88rem; color: var(--soft);
  margin-bottom: 0.3rem; } figure svg { max-width: max(100%, 24rem); height: auto;
  display: block; } svg text { font-family: system-ui, sans-serif !important; }
code { font-size: 0.92em; } ul { padding-left: 1.2rem; }
"""


def machine_words(machine):
    memory = machine.get("memory_bytes")
    return ", ".join(str(part) for part in (
        machine.get("cpu"), f"{machine.get('cores')} cores",
        f"{memory / 2 ** 30:.1f} GiB" if memory else None, machine.get("system"),
        f"Linux {machine['kernel']}" if machine.get("kernel") else None) if part)


def version_words(results):
    """Of our own build, and of every other client."""
    out = []
    for each in results.all("gate")[-1:]:
        out += [f"{name} {value}" for name, value in each["versions"].items() if name != "cpu"]
    for each in results.all("peers")[-1:]:
        out += [f"{name} {client['version']}" for name, client in each["clients"].items()
                if client.get("version")]
    return out


def note_words(results):
    notes = list(results.notes)
    if len(results.machines()) > 1:
        notes.insert(0, "These figures come from more than one machine and do not compare.")
    notes += [f"Not measured: {found.KINDS[kind][0]} ({found.KINDS[kind][1]})"
              for kind in results.missing()]
    return notes


def table_html(head, rows, noisy=(), classes=""):
    def line(cells, tag):
        return "<tr>" + "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells) + "</tr>"
    body = "".join(line([f"{row[0]} *", *row[1:]] if place in noisy else row, "td")
                   for place, row in enumerate(rows))
    return (f'<div class="scroll"><table class="{classes}"><thead>{line(head, "th")}</thead>'
            f"<tbody>{body}</tbody></table></div>")


def targets_html(results):
    rows = "".join(
        f"<tr><td>{escape(what)}</td><td>{escape(target)}</td><td>{escape(measured)}</td>"
        f'<td class="{word}">{word}</td></tr>' for what, target, measured, word in
        targets.rows(results))
    return ('<div class="scroll"><table class="targets"><thead><tr><th>what</th><th>target</th>'
            f"<th>measured</th><th></th></tr></thead><tbody>{rows}</tbody></table></div>")


def section_html(section, draw):
    title, command = found.KINDS[section.kind]
    parts = [f'<h2 id="{section.kind}">{escape(title)}</h2>', f"<p>{escape(section.words)}</p>",
             f'<p class="soft">Measured by <code>{escape(command)}</code>.</p>']
    for table in section.tables:
        if table.title:
            parts.append(f"<h3>{escape(table.title)}</h3>")
        parts.append(table_html(table.head, table.rows, table.noisy))
        figures = [f"<figure><figcaption>{escape(plot.title)}</figcaption>"
                   f"{draw(plot, f'{section.kind}{place}')}</figure>"
                   for place, plot in enumerate(section.plots) if draw and plot in table.plots]
        parts.append(f'<div class="plots">{"".join(figures)}</div>' if figures else "")
    return "\n".join(parts)


def html(results, sections, when, draw):
    """One file that needs no other. `draw` makes SVG of a plot; None: there are none."""
    links = " ".join(f'<a href="#{each.kind}">{escape(found.KINDS[each.kind][0])}</a>'
                     for each in sections)
    machines = "".join(f"<p>{escape(machine_words(each))}</p>" for each in results.machines())
    versions = ", ".join(version_words(results))
    notes = "".join(f"<li>{escape(each)}</li>" for each in note_words(results))
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        "<title>codynamo: what was measured</title>", f"<style>{STYLE}</style></head><body>",
        "<h1>codynamo: what was measured</h1>", f'<p class="soft">{escape(when)}</p>',
        f"{machines}<nav>{links}</nav>", '<h2 id="targets">Targets</h2>', targets_html(results),
        *[section_html(each, draw) for each in sections],
        '<h2 id="method">Method, noise, versions</h2>', *[f"<p>{each}</p>" for each in METHOD],
        f"<p>Versions: {escape(versions)}.</p>" if versions else "",
        f'<h2 id="notes">Notes</h2><ul>{notes}</ul>' if notes else "", "</body></html>", ""])


def cell_markdown(cell):
    return escape(str(cell), quote=False).replace("|", "\\|").replace("*", "\\*")


def table_markdown(head, rows, noisy=()):
    lines = ["| " + " | ".join(map(cell_markdown, head)) + " |",
             "|---|" + "---:|" * (len(head) - 1)]
    for place, row in enumerate(rows):
        if place in noisy:
            row = [f"{row[0]} *", *row[1:]]
        lines.append("| " + " | ".join(map(cell_markdown, row)) + " |")
    return "\n".join(lines)


def markdown(results, sections, when):
    parts = ["# codynamo: what was measured", when,
             *[machine_words(each) for each in results.machines()], "## Targets",
             table_markdown(["what", "target", "measured", ""], targets.rows(results))]
    for section in sections:
        title, command = found.KINDS[section.kind]
        parts += [f"## {title}", section.words, f"Measured by `{command}`."]
        for table in section.tables:
            parts += [f"### {table.title}"] if table.title else []
            parts.append(table_markdown(table.head, table.rows, table.noisy))
    parts += ["## Method, noise, versions", *METHOD]
    versions = version_words(results)
    parts += [f"Versions: {', '.join(versions)}."] if versions else []
    notes = note_words(results)
    parts += ["## Notes", "\n".join(f"- {each}" for each in notes)] if notes else []
    return "\n\n".join(parts) + "\n"
