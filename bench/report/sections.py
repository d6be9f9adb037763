# SPDX-License-Identifier: BSL-1.0
"""What the page says of each kind: tables, and the figures that plots are made of."""
from dataclasses import dataclass, field

import results as found

# More rows than that nobody reads of a kind that has no table of its own.
MOST_ROWS = 40
PERCENTILES = ["p50", "p90", "p99", "p999", "p9999"]
SHOWN_PERCENTILES = ["50", "90", "99", "99.9", "99.99"]


@dataclass
class Table:
    title: str
    head: list
    rows: list
    noisy: set = field(default_factory=set)  # numbers of rows
    plots: list = field(default_factory=list)


@dataclass
class Bars:
    """Horizontal; each bar (name, value, smallest, largest), with whiskers where they differ."""
    title: str
    unit: str
    bars: list
    log: bool = True
    marked: str = ""  # the bar that stands out


@dataclass
class Lines:
    """Each line: name, [x], [y]."""
    title: str
    x: str
    y: str
    lines: list
    log_y: bool = True
    log_x: bool = False


@dataclass
class Section:
    kind: str
    words: str
    tables: list = field(default_factory=list)

    @property
    def plots(self):
        return [plot for table in self.tables for plot in table.plots]


def number(value):
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return str(value)
    size = abs(value)
    return (f"{value:,.0f}" if size >= 1000 or isinstance(value, int)
            else f"{value:.1f}" if size >= 100 else f"{value:.2f}")


def spread_text(spread, unit=""):
    if not spread:
        return "–"
    text = number(spread["median"]) + unit
    if spread["min"] != spread["max"]:
        text += f" ({number(spread['min'])}–{number(spread['max'])})"
    return text


def share(value):
    return "–" if value is None else f"{value:.0%}"


def floor(documents):
    head = ["", "CPU µs per get", "gets/s", "p50 µs", "p99 µs", "times the floor"]
    rows = []
    for each in sorted(documents, key=lambda one: one.get("concurrency", 0)):
        for mode, title in (("plain", "HTTP"), ("tls", "TLS")):
            for who in ("codynamo", "floor"):
                if mode in each:
                    one = each[mode][who]
                    rows.append([f"{title}, {each.get('concurrency', '?')} in flight, {who}",
                                 *[spread_text(one[key])
                                   for key in ("cpu_us_per_op", "ops_per_s", "p50", "p99")],
                                 number(each[mode]["cpu_ratio"]) + " ×" if who == "codynamo"
                                 else ""])
    return Section("floor", "The same get by codynamo, which encodes, signs, checks and decodes, "
                   "and by bare Asio and Beast with one constant request, in turns. Medians "
                   "(min–max) of the rounds.", [Table("", head, rows)])


def gate(documents):
    last = documents[-1]
    rows = [[name, number(one["instructions_per_get"]), number(one["allocations_per_get"])]
            for name, one in last["scenarios"].items()]
    made = Section("gate", "Counted by callgrind, so other load does not disturb it; the kernel is "
                   "not counted. Allocations are calls of malloc and its kin by anybody, OpenSSL "
                   "and Asio included. " + ("Within" if last["passed"] else "NOT within")
                   + " 5 % of the baseline.",
                   [Table("", ["", "instructions per get", "heap allocations per get"], rows)])
    for name, one in last["scenarios"].items():
        bars = [(shown, value, value, value)
                for shown, value in list(one["functions"].items())[:12]]
        made.tables[0].plots.append(Bars(f"{name}: instructions by function",
                                         "instructions per get", bars, log=False))
    return made


def server_name(server):
    """With its version where that is known."""
    name = server.get("title") or server.get("engine") or server["url"]
    version = server["package_version"] or server["version"]
    return f"{name} {version}" if version else name


def peers_table(document, server, concurrency, own):
    rows, noisy = [], set()
    for each in sorted(own, key=lambda one: one["cpu_us_per_op"]["median"]):
        if each["noisy_rounds"]:
            noisy.add(len(rows))
        rows.append([each["client"], spread_text(each["cpu_us_per_op"]),
                     spread_text(each["ratio_to_codynamo"], " ×"),
                     spread_text(each["ops_per_s"]), spread_text(each["latency_us"]["p50"]),
                     spread_text(each["latency_us"]["p99"]), share(each["client_cpu"]["median"]),
                     share(each["server_cpu"]["median"]), share(each["other_load"]["median"])])
    return Table(f"{server_name(document['method']['servers'][server])}, {concurrency} in flight",
                 ["client", "CPU µs per get", "to ours", "gets/s", "p50 µs", "p99 µs",
                  "client CPU", "server CPU", "other load"], rows, noisy)


def peers_plots(own):
    ordered = sorted(own, key=lambda one: one["cpu_us_per_op"]["median"])
    bars = [(each["client"] + (" *" if each["noisy_rounds"] else ""),
             *[each["cpu_us_per_op"][which] for which in ("median", "min", "max")])
            for each in ordered]
    lines = [(each["client"], SHOWN_PERCENTILES[:4],
              [each["latency_us"][which]["median"] for which in PERCENTILES[:4]])
             for each in ordered if all(each["latency_us"][one] for one in PERCENTILES[:4])]
    return [Bars("CPU per get", "CPU µs per get", bars, marked="codynamo"),
            Lines("Latency", "percentile", "µs", lines)]


def peers(documents):
    made = Section("peers", "In turns, client on core 0, server on core 1. Medians (min–max) of "
                   "the rounds; * others disturbed a round, twice. Latencies are those of a closed "
                   "loop.")
    for document in documents:
        results = document["results"]
        for place in dict.fromkeys((one["server"], one["concurrency"]) for one in results):
            own = [one for one in results if (one["server"], one["concurrency"]) == place]
            table = peers_table(document, *place, own)
            table.plots = peers_plots(own)
            made.tables.append(table)
        left = [f"{name}: {why}" for name, why in document["skipped"].items()]
        left += [f"{one['client']} failed: {one['reason']}" for one in document["failed"]]
        if left:
            made.words += " Left out: " + "; ".join(left) + "."
    return made


def loop(kind, words):
    def section(documents):
        head = ["file", "gets/s", "CPU µs per get", "allocations", "p50 µs", "p99 µs", "p99.9 µs",
                "p99.99 µs", "other load"]
        rows, lines = [], []
        for each in documents:
            latency = each["latency_us"]
            rows.append([each["file"].removesuffix(".json"), number(each["ops_per_s"]),
                         number(each["cpu_us_per_op"]), number(each.get("allocations_per_op")),
                         *[number(latency.get(one)) for one in ("p50", "p99", "p999", "p9999")],
                         share(each.get("other_load"))])
            known = [one for one in PERCENTILES if latency.get(one)]
            names = dict(zip(PERCENTILES, SHOWN_PERCENTILES))
            lines.append((rows[-1][0], [names[one] for one in known],
                          [latency[one] for one in known]))
        noisy = {number for number, each in enumerate(documents) if each.get("noisy")}
        return Section(kind, words, [Table("", head, rows, noisy,
                                           [Lines("Latency", "percentile", "µs", lines)])])
    return section


def batching(documents):
    made = Section("batching", "Gets of distinct keys by one thread, a server of fixed answers on "
                   "another; items per second of the client's CPU beside batching off.")
    head = ["in flight", "batching", "items/CPU s", "times off", "p50 µs", "p99 µs", "allocations",
            "keys per batch"]
    keys = ["in_flight", "batching", "items_per_cpu_s", "times_first", "p50_us", "p99_us",
            "allocations_per_op", "keys_per_batch"]
    for each in documents:
        delay = each.get("server_delay_us")
        title = f"server answers {delay} µs late" if delay else "server answers at once"
        made.tables.append(Table(title, head, [[number(row[key]) for key in keys]
                                               for row in each["results"]]))
        modes = dict.fromkeys(row["batching"] for row in each["results"])
        lines = [(mode, *zip(*[(row["in_flight"], row["times_first"]) for row in each["results"]
                               if row["batching"] == mode])) for mode in modes]
        made.tables[-1].plots.append(Lines("Items per CPU second, times those without batching",
                                           "gets in flight", "times off", lines, log_y=False,
                                           log_x=True))
    return made


def policies(documents):
    made = Section("policies", "Hit ratio in percent, means over all sizes of a trace; the optimum "
                   "sees the future.")
    for each in documents:
        names = list(each["mean"])
        rows = [[trace, *[number(values[name]) for name in names]]
                for trace, values in each["traces"].items()]
        rows.append(["mean of all cells", *[number(each["mean"][name]) for name in names]])
        made.tables.append(Table("", ["trace", *names], rows))
        bars = sorted(((name, value, value, value) for name, value in each["mean"].items()),
                      key=lambda bar: -bar[1])
        made.tables[-1].plots.append(Bars("Mean of all cells", "hits in percent", bars, log=False,
                                          marked="codynamo w_tinylfu"))
    return made


def ycsb(documents):
    head = ["file", "operations/s", "CPU µs each", "p50 µs", "p99 µs", "read units each",
            "write units each", "other load"]
    rows = []
    for each in documents:
        latency, units = each.get("latency_us") or {}, each.get("units_per_op") or {}
        rows.append([each["file"].removesuffix(".json"), number(each["ops_per_s"]),
                     number(each["cpu_us_per_op"]), number(latency.get("p50")),
                     number(latency.get("p99")), number(units.get("read")),
                     number(units.get("write")), share(each.get("other_load"))])
    noisy = {place for place, each in enumerate(documents) if each.get("noisy")}
    names = dict.fromkeys(server_name(each["server"]) for each in documents if each.get("server"))
    return Section("ycsb", f"Against {' and '.join(names) or 'a server'}, which shares the machine; "
                   "what does not depend on it are CPU and capacity units.",
                   [Table("", head, rows, noisy)])


def micro(documents):
    rows = [[one["name"], number(one["cpu_time"]), one.get("time_unit", "ns")]
            for each in documents for one in each["benchmarks"]
            if one.get("run_type", "iteration") == "iteration"]
    return Section("micro", "One after the other on one thread, by Google Benchmark.",
                   [Table("", ["", "CPU", "unit"], rows)])


def compile_times(documents):
    rows = [[what, spread_text(times)] for each in documents
            for what, times in each["seconds"].items()]
    return Section("compile", f"{documents[-1]['compiler']} {documents[-1]['flags']}: what uses "
                   "cache and table backend, a program that also runs it, the same of a bare "
                   "asio::awaitable, and an empty program.",
                   [Table("", ["", "seconds of CPU"], rows)])


def rows_of(documents):
    """A kind without a table of its own that has a list of results: one table of them."""
    lists = [each["results"] for each in documents
             if isinstance(each.get("results"), list) and each["results"]
             and all(isinstance(row, dict) for row in each["results"])]
    if len(lists) != len(documents) or not lists:
        return None
    flat = [dict(found.walk(row)) for rows in lists for row in rows]
    keys = list(dict.fromkeys(key for row in flat for key in row))
    if len(keys) > 12:
        return None
    return Table("", [key.replace("_", " ") for key in keys],
                 [[number(row.get(key)) for key in keys] for row in flat])


def plain(kind, words):
    """Every figure of the documents, side by side."""
    def section(documents):
        table = rows_of(documents)
        if not table:
            flat = [dict(found.walk(each)) for each in documents]
            keys = list(dict.fromkeys(key for each in flat for key in each))
            table = Table("", ["", *[each["file"].removesuffix(".json") for each in documents]],
                          [[key.replace("_", " "), *[number(each.get(key)) for each in flat]]
                           for key in keys[:MOST_ROWS]])
            if len(keys) > MOST_ROWS:
                words_left = f" {len(keys) - MOST_ROWS} more figures are in the files."
                return Section(kind, words + words_left, [table])
        return Section(kind, words, [table])
    return section


MAKERS = {
    "floor": floor, "gate": gate, "peers": peers, "batching": batching, "policies": policies,
    "wire": loop("wire", "Gets of one key, so many in flight, each begun when one has ended."),
    "rate": loop("rate", "Gets begun at a given rate whatever the answers do; latency counts from "
                 "the intended start, so stalls are in it."),
    "ycsb": ycsb, "micro": micro, "compile": compile_times,
    "inflight": plain("inflight", "Gets waiting for a server that stalls."),
    "memory": plain("memory", "Nanoseconds of CPU, in turns with a bare mutex and table."),
    "scale": plain("scale", "CPU-bound work on one and on two threads, beside one of the same round."),
}


def sections(all_results):
    """In the page's order. One whose file has another form is named and hinders no other."""
    out = []
    for kind, make in MAKERS.items():
        documents = all_results.all(kind)
        if not documents:
            continue
        try:
            out.append(make(documents))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as why:
            all_results.notes.append(f"{kind}: its figures could not be read "
                                     f"({type(why).__name__}: {why})")
    order = list(found.KINDS)
    return sorted(out, key=lambda each: order.index(each.kind))
