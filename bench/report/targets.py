# SPDX-License-Identifier: BSL-1.0
"""What was aimed at, and what was measured. Each figure is looked for; None is "not measured"."""
from results import find


def floor_ratio(concurrency, mode):
    def measured(results):
        for each in results.all("floor"):
            if each.get("concurrency") == concurrency and mode in each:
                return each[mode]["cpu_ratio"]
        return None
    return measured


def gate(key):
    def measured(results):
        for each in reversed(results.all("gate")):
            found = each["scenarios"].get("plain, 32 in flight")
            if found:
                return found[key]
        return None
    return measured


def batching(results):
    """With batching on, where the most gets were in flight among 32 to 64."""
    rows = [row for each in results.all("batching") if not each.get("server_delay_us")
            for row in each["results"]
            if row["batching"] == "on" and 32 <= row["in_flight"] <= 64]
    return rows[-1]["times_first"] if rows else None


def inflight(*keys):
    def measured(results):
        for each in results.all("inflight"):
            rows = [row for row in each["results"] if row["batching"] == "off"] or each["results"]
            if rows:
                return find(rows[0], *keys)
        return None
    return measured


def scale(key):
    def measured(results):
        for each in results.all("scale"):
            for row in each["results"]:
                if row["what"] == "wire" and row["threads"] == 2:
                    return row[key]
        return None
    return measured


def compile_seconds(unit):
    def measured(results):
        for each in results.all("compile"):
            return each["seconds"][unit]["median"] if unit in each["seconds"] else None
        return None
    return measured


def first(kind, *keys):
    def measured(results):
        for each in results.all(kind):
            value = find(each, *keys)
            if value is not None:
                return value
        return None
    return measured


def hit_ratio_lead(results):
    """Points ahead of the best other policy that cannot see the future."""
    for each in results.all("policies"):
        means = each["mean"]
        others = [value for name, value in means.items()
                  if not name.startswith("codynamo ") and name != "optimum"]
        return means["codynamo w_tinylfu"] - max(others)
    return None


# what, "<=" or ">=", the target, how it is written, where it is
TARGETS = [
    ("CPU per get, 32 in flight, times the floor", "<=", 1.3, "{:.2f} ×", floor_ratio(32, "plain")),
    ("CPU per get, 1 in flight, times the floor", "<=", 1.15, "{:.2f} ×", floor_ratio(1, "plain")),
    ("CPU per get, 256 in flight, times the floor", "<=", 1.3, "{:.2f} ×",
     floor_ratio(256, "plain")),
    ("CPU per get over TLS, 32 in flight, times the floor", "<=", 1.2, "{:.2f} ×",
     floor_ratio(32, "tls")),
    ("Instructions per get", "<=", 45_000, "{:,.0f}", gate("instructions_per_get")),
    ("Heap allocations per get, malloc included", "<=", 2, "{:.2f}", gate("allocations_per_get")),
    ("Items per CPU second through batching, times single gets", ">=", 4, "{:.2f} ×", batching),
    ("Bytes of each of 100,000 gets in flight", "<=", 1536, "{:,.0f}",
     inflight("heap_bytes_per_get", "rss_bytes_per_get")),
    ("Milliseconds to cancel all of them", "<=", 100, "{:,.1f}", inflight("cancel_ms")),
    ("A hit in memory, times a bare mutex and table", "<=", 2, "{:.2f} ×",
     first("memory", "times_bare")),
    ("Hits of two threads, times one's (by CPU)", ">=", 1.7, "{:.2f} ×",
     first("memory", "two_threads_scaling_by_cpu")),
    ("Bytes per entry in memory beyond key and value", "<=", 96, "{:.1f}",
     first("memory", "overhead_bytes_per_entry")),
    ("Hit ratio ahead of the best other policy, points", ">=", 0, "{:+.2f}", hit_ratio_lead),
    ("Two executors in two threads, times one", ">=", 1.8, "{:.2f} ×", scale("scaling_by_wall")),
    ("The same by CPU, as if each had a core", ">=", 1.8, "{:.2f} ×", scale("scaling_by_cpu")),
    ("Seconds to compile a user's translation unit", "<=", 2.5, "{:.2f}",
     compile_seconds("codynamo")),
    ("The same of a program that also runs it", "<=", 2.5, "{:.2f}",
     compile_seconds("codynamo_program")),
]


def rows(results):
    """(what, target, measured, "met" or "missed" or "") in words."""
    out = []
    for what, sign, target, form, where in TARGETS:
        value = where(results)
        word = ""
        if value is not None:
            met = value <= target if sign == "<=" else value >= target
            word = "met" if met else "missed"
        out.append((what, f"{'≤' if sign == '<=' else '≥'} {form.format(target)}",
                    "not measured" if value is None else form.format(value), word))
    return out
