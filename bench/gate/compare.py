# SPDX-License-Identifier: BSL-1.0
"""What a get costs beside what it cost before. Decides; touches nothing."""

TOLERANCE = 0.05
# Below this share of a get, a function is not worth a line of the baseline.
WORTH_KEEPING = 0.0005
# Nobody fails for less than this: a get that allocated nothing may do so once in fifty times.
ALLOCATIONS_SLACK = 0.02
NAMED = 8
FIGURES = {"instructions_per_get": "instructions", "allocations_per_get": "heap allocations"}
# Which functions make up a figure.
PARTS = {"instructions_per_get": "functions", "allocations_per_get": "allocators"}
NEW, GONE = "new", "gone or inlined"


def per_get(profile, gets):
    """What one get costs, of a profile of so many."""
    total = profile.instructions / gets
    kept = {name: round(own / gets, 1) for name, own in profile.own.most_common()
            if own / gets >= total * WORTH_KEEPING}
    allocated = {name: round(times / gets, 2) for name, times in profile.allocations.most_common()
                 if times / gets >= 0.01}
    return {"instructions_per_get": round(total, 1),
            "allocations_per_get": round(sum(profile.allocations.values()) / gets, 2),
            "functions": kept, "allocators": allocated}


def verdict(before, after, slack=0.0):
    """"grew", "shrank" or "same", by more than the tolerance."""
    if after > before * (1 + TOLERANCE) + slack:
        return "grew"
    if after < before * (1 - TOLERANCE) - slack:
        return "shrank"
    return "same"


def changes(before, after):
    """Functions by what they added: (name, before, after, word), the largest growth first."""
    found = [(name, before.get(name, 0), after.get(name, 0),
              NEW if name not in before else GONE if name not in after else "")
             for name in {**before, **after}]
    return sorted(found, key=lambda each: (each[1] - each[2], each[0]))


def culprits(before, after, verdict_word):
    """The functions that explain a verdict: each a tenth of the change or more, not all of them."""
    difference = sum(after.values()) - sum(before.values())
    ordered = changes(before, after)
    if verdict_word == "shrank":
        ordered.reverse()
    sign = -1 if verdict_word == "shrank" else 1
    moved = [each for each in ordered if sign * (each[2] - each[1]) > 0]
    worth = [each for each in moved if sign * (each[2] - each[1]) >= abs(difference) / 10]
    return (worth or moved)[:NAMED]


def compared(baseline, measured):
    """One entry for each scenario and figure: what it was, what it is, and who changed it."""
    out = []
    for scenario, now in measured.items():
        then = baseline.get(scenario)
        for figure, parts in PARTS.items():
            entry = {"scenario": scenario, "figure": figure, "measured": now[figure],
                     "baseline": None, "verdict": "not in the baseline", "functions": []}
            if then:
                slack = ALLOCATIONS_SLACK if figure == "allocations_per_get" else 0.0
                word = verdict(then[figure], now[figure], slack)
                entry.update(baseline=then[figure], verdict=word)
                if word != "same":
                    entry["functions"] = [
                        dict(zip(("name", "baseline", "measured", "word"), each))
                        for each in culprits(then[parts], now[parts], word)]
            out.append(entry)
    return out


def failed(entries):
    return [each for each in entries if each["verdict"] in ("grew", "not in the baseline")]


def different_versions(baseline, now):
    """What the baseline was made with and this run was not, in words."""
    return [f"{name}: the baseline's is {baseline.get(name) or 'unknown'}, here it is {value}"
            for name, value in now.items() if baseline.get(name) != value]


def number(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"


def change(before, after):
    return f"{(after / before - 1):+.1%}" if before else "+" + number(after)


def entry_lines(entry):
    what, now, then = FIGURES[entry["figure"]], entry["measured"], entry["baseline"]
    if then is None:
        return [f"  {entry['scenario']:<22} {what:<17} {number(now):>9}  not in the baseline"]
    word = {"same": "", "grew": "  GREW", "shrank": "  shrank"}[entry["verdict"]]
    lines = [f"  {entry['scenario']:<22} {what:<17} {number(now):>9}  baseline {number(then):>8} "
             f"{change(then, now):>8}{word}"]
    for each in entry["functions"]:
        before, after = each["baseline"], each["measured"]
        tail = f" ({each['word']})" if each["word"] else ""
        lines.append(f"      {number(before):>8} -> {number(after):>8}  {each['name']}{tail}")
    return lines


def text(entries, versions):
    """What a person reads, the verdict last."""
    lines = ["A get's cost beside the baseline:"]
    for each in entries:
        lines += entry_lines(each)
    if versions:
        lines += ["Not the versions of the baseline, which alone may explain a difference:",
                  *[f"  {each}" for each in versions]]
    grown = [each for each in failed(entries) if each["verdict"] == "grew"]
    unknown = [each for each in failed(entries) if each["verdict"] != "grew"]
    shrunk = [each for each in entries if each["verdict"] == "shrank"]
    if grown:
        names = [one["name"] for each in grown for one in each["functions"]]
        lines.append("FAILED: " + ", ".join(dict.fromkeys(each["scenario"] for each in grown))
                     + f" grew by more than {TOLERANCE:.0%}"
                     + (f", most of all {names[0]}." if names else "."))
    if unknown:
        lines.append("FAILED: no baseline for "
                     + ", ".join(dict.fromkeys(each["scenario"] for each in unknown)) + ".")
    if grown or unknown:
        lines.append("If that is meant to be: codynamo-bench gate --update, and commit the "
                     "baseline with the reason.")
    elif shrunk:
        lines.append(f"Passed, and better by more than {TOLERANCE:.0%}: codynamo-bench gate "
                     "--update makes that the new baseline, so that it stays.")
    else:
        lines.append(f"Passed: all within {TOLERANCE:.0%}.")
    return "\n".join(lines)
