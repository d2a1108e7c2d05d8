#!/usr/bin/env python3
"""Times ChainRule, PyTorch, torch.compile and JAX on the workloads in turn and writes docs/PERFORMANCE.md.

Each workload and framework runs in a process of its own, one after the other in each round, so that a machine whose speed drifts
drifts for all. What pip has not installed is left out. The figures are kept in a file after every round: what is there for the same
build, frameworks and options is not measured again, so a run can be stopped, done in slices (--only) or given more rounds.
"""
import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

WORKLOADS = ["scalar", "seed-mlp", "mnist-mlp", "lenet", "resnet18", "char-lstm", "gpt", "elementwise", "rowwise",
             "adamw", "decode"]
OURS = {"ChainRule": "eager", "compiled": "compiled"}
PEERS = ["torch", "torch.compile", "jax"]
HERE = os.path.dirname(os.path.abspath(__file__))


# One measurement, in a process of its own.

def resident(field):
    """VmRSS or VmHWM (the most there was) of this process in bytes; None where the system does not tell."""
    try:
        lines = [line.split() for line in open("/proc/self/status") if line.startswith(field)]
        return int(lines[0][1]) * 1024
    except (OSError, IndexError):
        return None


def measure_here(peer, workload, seconds, threads):
    """The median time of a step in milliseconds and the most memory above the loaded model in bytes; None for a workload it lacks."""
    if peer == "jax":
        import workloads_jax
        steps = workloads_jax.workloads()
    else:
        import torch
        import workloads_torch
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        steps = workloads_torch.workloads(compiled=peer == "torch.compile")
    if workload not in steps:
        return None
    step = steps[workload]()
    loaded = resident("VmRSS")
    for _ in range(5):
        step()
    most = resident("VmHWM")
    times, start = [], time.perf_counter()
    while len(times) < 5 or (time.perf_counter() - start < seconds and len(times) < 2000):
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return {"ms": statistics.median(times) * 1e3, "bytes": most - loaded if most else None}


def measure(peer, workload, options):
    """The same in a new process; None where it failed or the peer has no such workload."""
    if peer in OURS:
        with tempfile.NamedTemporaryFile(suffix=".json") as rows:
            subprocess.run([options.bench, "--only", workload, "--seconds", str(options.seconds), "--threads",
                            str(options.threads), "--mode", OURS[peer], "--json", rows.name], check=True, stdout=subprocess.DEVNULL)
            row = json.load(open(rows.name))[0]
            return {"ms": row["median_ms"], "bytes": row.get("resident_bytes")}
    # Idle compile workers would take the cores from what is timed.
    environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads), TORCHINDUCTOR_COMPILE_THREADS="1")
    command = [sys.executable, os.path.abspath(__file__), "--measure", peer, workload, "--seconds",
               str(options.seconds), "--threads", str(options.threads)]
    try:
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=options.timeout)
        return json.loads(result.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        print(f"{peer} {workload}: not done after {options.timeout} s", file=sys.stderr)
    except (IndexError, ValueError):
        print(f"{peer} {workload}: failed: {result.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    return None


# The rounds.

def processor():
    try:
        names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
        return names[0] if names else platform.processor()
    except OSError:
        return platform.processor()


def setting(peers, options):
    """What figures must share to stand in one table."""
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout.strip().splitlines()
    modules = sorted({peer.split(".")[0] for peer in peers})
    return {"machine": processor(), "threads": options.threads, "seconds": options.seconds, "peers": peers,
            "versions": [swift[0] if swift else "Swift"] + [f"{m} {importlib.metadata.version(m)}" for m in modules],
            "build": os.stat(options.bench).st_mtime}


def kept(path, setting):
    """The figures measured before, if they may be added to."""
    if os.path.exists(path):
        found = json.load(open(path))
        if found["setting"] == setting:
            return found
        print("measured before with another build or other options: starting anew", flush=True)
    return {"setting": setting, "seconds": 0, "rounds": {}}


def run(figures, options):
    for number in range(options.rounds):
        for workload in options.workloads:
            rounds = figures["rounds"].setdefault(workload, [])
            if len(rounds) > number:
                continue
            start, done = time.time(), {}
            for peer in list(OURS) + figures["setting"]["peers"]:
                # What failed or is missing once is not tried again.
                if rounds and peer not in rounds[0]:
                    continue
                figure = measure(peer, workload, options)
                if figure:
                    done[peer] = figure
                    print(f"round {number + 1}  {workload:12s} {peer:14s} {figure['ms']:10.3f} ms", flush=True)
            rounds.append(done)
            figures["seconds"] += time.time() - start
            with open(options.figures, "w") as file:
                json.dump(figures, file, indent=1)


# The report.

def medians(rounds, peers, key):
    found = {peer: [r[peer][key] for r in rounds if peer in r and r[peer][key] is not None] for peer in peers}
    return {peer: statistics.median(values) for peer, values in found.items() if values}


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"] + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def fastest(measured, names):
    return min(measured[name]["ms"] for name in names if name in measured)


def times(figures):
    peers, rows, ratios = figures["setting"]["peers"], [], []
    for workload, rounds in figures["rounds"].items():
        middle = medians(rounds, [*OURS, *peers], "ms")
        each = [fastest(r, peers) / fastest(r, OURS) for r in rounds if any(peer in r for peer in peers)]
        cells = [f"{middle[peer]:.3g}" if peer in middle else "–" for peer in [*OURS, *peers]]
        ratio = "–"
        if each:
            ratios.append(statistics.median(each))
            ratio = f"**{ratios[-1]:.2f}** ({min(each):.2f} to {max(each):.2f})"
        rows.append([f"`{workload}`"] + cells + [ratio])
    lines = table(["workload", *OURS, *peers, "ratio"], rows)
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        lines += [f"Geometric mean of the ratios: **{mean:.2f}**; the least: {min(ratios):.2f}.", ""]
    return lines


def memory(figures):
    peers, rows = figures["setting"]["peers"], []
    for workload, rounds in figures["rounds"].items():
        middle = medians(rounds, [*OURS, *peers], "bytes")
        cells = [f"{middle[peer] / 1e6:.0f}" if peer in middle else "–" for peer in [*OURS, *peers]]
        rows.append([f"`{workload}`"] + cells)
    return table(["workload", *OURS, *peers], rows)


def report(figures):
    setting = figures["setting"]
    counts = [len(rounds) for rounds in figures["rounds"].values()]
    rounds = " to ".join(map(str, sorted({min(counts), max(counts)})))
    return "\n".join([
        "# Performance", "",
        f"`make bench-compare`, {datetime.date.today()}: {setting['machine']}, {setting['threads']} threads; "
        f"{', '.join(setting['versions'])}. It took {figures['seconds'] / 60:.0f} minutes.", "",
        f"Milliseconds for one call, float32: the median of {rounds} rounds, each the median of calls for {setting['seconds']:g} s in a "
        "process of its own after five calls to warm up, all frameworks in turn. `compiled` is ChainRule's step through `compile`. The ratio is the "
        "median over the rounds of (the fastest other / the faster of ChainRule's), with its least and largest value in brackets: above 1 "
        "ChainRule is faster.", "", *times(figures), "## Memory", "",
        "Megabytes that five calls take at most above the loaded model and its data: how far the resident memory of the process rises, code "
        "and compilers included.", "", *memory(figures),
        "The workloads are defined in `Benchmarks/Sources/bench` and, for the others, in `Benchmarks/workloads_torch.py` and "
        "`Benchmarks/workloads_jax.py`. To measure again: `pip install torch jax numpy`, then `make bench-compare` on an idle machine "
        "(torch.compile wants a C++ compiler). [MEASUREMENTS.md](MEASUREMENTS.md) has what ChainRule does alone.", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default=",".join(WORKLOADS), help="workloads, separated by commas")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--timeout", type=float, default=900, help="the most seconds for one measurement, its compiler included")
    parser.add_argument("--bench", default=os.path.join(HERE, ".build", "release", "bench"))
    parser.add_argument("--figures", default=os.path.join(HERE, ".build", "comparison.json"))
    parser.add_argument("--out", default=os.path.join(HERE, "..", "docs", "PERFORMANCE.md"))
    parser.add_argument("--measure", nargs=2, metavar=("PEER", "WORKLOAD"), help="only this, here, and print it")
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure_here(*options.measure, options.seconds, options.threads)))
        return
    options.workloads = [name for name in options.only.split(",") if name]
    peers = [peer for peer in options.peers.split(",") if importlib.util.find_spec(peer.split(".")[0])]
    figures = kept(options.figures, setting(peers, options))
    run(figures, options)
    figures["rounds"] = {name: figures["rounds"][name] for name in WORKLOADS if figures["rounds"].get(name)}
    text = report(figures)
    with open(options.out, "w") as file:
        file.write(text)
    print("\n" + text)


if __name__ == "__main__":
    main()
