#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""One HTML page and Markdown of all JSON results in a folder, by their kind."""
import argparse
import datetime
import importlib.util
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))
import page  # noqa: E402
import results  # noqa: E402
import sections  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="codynamo-bench report", description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "build/results", metavar="FOLDER",
                        help="default: build/results of the sources")
    parser.add_argument("--out", type=Path, default=ROOT / "build/report/index.html",
                        metavar="FILE.html", help="default: build/report/index.html")
    parser.add_argument("--markdown", type=Path, metavar="FILE.md",
                        help="default: report.md beside the page")
    return parser.parse_args()


def with_matplotlib():
    """Starts this again in the venv of tools/install-dependencies.sh where this Python has none."""
    if importlib.util.find_spec("matplotlib") or os.environ.get("CODYNAMO_REPORT_AGAIN"):
        return
    cache_home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    python = Path(cache_home) / "codynamo" / "venv" / "bin" / "python"
    if python.exists():
        os.execve(python, [python, *sys.argv], {**os.environ, "CODYNAMO_REPORT_AGAIN": "1"})


def main():
    options = arguments()
    if not options.results.is_dir():
        print(f"report: there is no folder {options.results}", file=sys.stderr)
        return 2
    with_matplotlib()
    try:
        from plots import draw
    except ImportError as why:
        draw = None
        print(f"report: no plots: {why}; tools/install-dependencies.sh bench installs it",
              file=sys.stderr)
    loaded = results.load(options.results)
    if not any(loaded.documents.values()):
        print(f"report: no results in {options.results}", file=sys.stderr)
        return 3
    made = sections.sections(loaded)
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%-d %B %Y, %H:%M UTC")
    markdown = options.markdown or options.out.with_name("report.md")
    for path, text in ((options.out, page.html(loaded, made, when, draw)),
                       (markdown, page.markdown(loaded, made, when))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)
    for note in page.note_words(loaded):
        print(f"  {note}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
