# SPDX-License-Identifier: BSL-1.0
"""What is made of single runs: medians, ratios, marks, and the table. Decides; touches nothing."""
import statistics

# What of a run is summed up over the rounds, by path within a run's "figures".
FIGURES = ["cpu_us_per_op", "ops_per_s", "allocations_per_op", "peak_rss_bytes",
           "latency_us.p50", "latency_us.p90", "latency_us.p99", "latency_us.p999"]
SHARES = ["client_cpu", "server_cpu", "other_load"]
# A core this busy has no more to give.
SATURATED = 0.9


def spread(values):
    """None when there is nothing, as for allocations of those who do not count them."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"median": statistics.median(known), "min": min(known), "max": max(known)}


def figure(run, path):
    value = run["figures"]
    for part in path.split("."):
        value = value.get(part) if value else None
    return value


def is_noisy(run, limit):
    return run["other_load"] > limit


def better_attempt(attempts):
    """Of a run and its repetition, the one that was disturbed less."""
    return min(attempts, key=lambda run: run["other_load"])


def ratio(runs, reference):
    """CPU per get as a multiple of another client's, each round against the same round's."""
    base = {run["round"]: figure(run, "cpu_us_per_op") for run in reference}
    return spread([figure(run, "cpu_us_per_op") / base[run["round"]] for run in runs
                   if base.get(run["round"])])


def bottleneck(client_cpu, server_cpu):
    """Whose core was full: "client", "server", "both" or "neither"."""
    client, server = client_cpu >= SATURATED, server_cpu >= SATURATED
    return {(True, True): "both", (True, False): "client", (False, True): "server",
            (False, False): "neither"}[client, server]


def summary(runs, limit):
    """One cell's: the counted runs of one client at one server and concurrency."""
    out = {"rounds": len(runs), "noisy_rounds": sum(is_noisy(run, limit) for run in runs),
           "ops": sum(run["figures"]["ops"] for run in runs)}
    for path in FIGURES:
        place = out
        *outer, name = path.split(".")
        for part in outer:
            place = place.setdefault(part, {})
        place[name] = spread([figure(run, path) for run in runs])
    for name in SHARES:
        out[name] = spread([run[name] for run in runs])
    out["bottleneck"] = bottleneck(out["client_cpu"]["median"], out["server_cpu"]["median"])
    return out


def cells(runs):
    """The counted runs by (server, concurrency), then by client, in order of appearance."""
    found = {}
    for run in runs:
        if run["counted"]:
            cell = found.setdefault((run["server"], run["concurrency"]), {})
            cell.setdefault(run["client"], []).append(run)
    return found


def results(runs, limit):
    out = []
    for (server, concurrency), clients in cells(runs).items():
        for client, own in clients.items():
            out.append({"server": server, "concurrency": concurrency, "client": client,
                        **summary(own, limit),
                        "ratio_to_codynamo": ratio(own, clients.get("codynamo", [])),
                        "ratio_to_floor": ratio(own, clients.get("floor", []))})
    return out


def number(value):
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}" if value >= 100 else f"{value:.2f}"


def cell_text(values, unit=""):
    if values is None:
        return ""
    text = number(values["median"]) + unit
    if values["min"] != values["max"]:
        text += f" ({number(values['min'])}–{number(values['max'])})"
    return text


def short(values, unit="×"):
    return f"{number(values['median'])} {unit}" if values else ""


def table_row(result):
    noisy = f" \\*{result['noisy_rounds']}" if result["noisy_rounds"] else ""
    share = {name: f"{result[name]['median']:.0%}" for name in SHARES}
    latency = result["latency_us"]
    return [result["client"] + noisy, cell_text(result["cpu_us_per_op"]),
            short(result["ratio_to_codynamo"]), short(result["ratio_to_floor"]),
            cell_text(result["ops_per_s"]), cell_text(latency["p50"]), cell_text(latency["p99"]),
            share["client_cpu"], share["server_cpu"], share["other_load"]]


HEAD = ["client", "CPU µs per get", "to ours", "to floor", "gets/s", "p50 µs", "p99 µs",
        "client CPU", "server CPU", "other load"]


def padded(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["| " + " | ".join(text.ljust(width) for text, width in zip(row, widths)) + " |"
            for row in rows]


def server_title(document, name):
    server = document["method"]["servers"][name]
    version = server["package_version"] or server["version"]
    return server["title"] + (f" {version}" if version else "")


def markdown(document):
    """The document's results as Markdown tables, with what has to be said about them."""
    lines = []
    all_results = document["results"]
    for place in dict.fromkeys((each["server"], each["concurrency"]) for each in all_results):
        own = [each for each in all_results if (each["server"], each["concurrency"]) == place]
        rows = [HEAD, *[table_row(each) for each in
                        sorted(own, key=lambda each: each["cpu_us_per_op"]["median"])]]
        head, *rest = padded(rows)
        rule = "|" + "|".join("-" * (len(part)) for part in head.split("|")[1:-1]) + "|"
        title = server_title(document, place[0])
        lines += ["", f"### {title}, {place[1]} in flight", "", head, rule, *rest]
    notes = ["Medians (min–max) of the rounds."]
    if any(each["noisy_rounds"] for each in all_results):
        limit = document["method"]["other_load_limit"]
        notes.append(f"\\*N: in N rounds, others used more than {limit:.0%} of a core, twice.")
    notes += [f"Failed: {each['client']} ({each['server']}, {each['concurrency']} in flight): "
              f"{each['reason']}" for each in document["failed"]]
    notes += [f"Skipped: {name}: {why}" for name, why in document["skipped"].items()]
    if not document["complete"]:
        notes.append("Interrupted: these are the rounds until then.")
    lines += ["", *[f"- {note}" for note in notes]]
    return "\n".join(lines).lstrip("\n") + "\n"
