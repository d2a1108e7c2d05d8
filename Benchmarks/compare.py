#!/usr/bin/env python3
"""Times ChainRule, PyTorch, torch.compile and JAX on the workloads in turn and writes docs/PERFORMANCE.md.

usage: compare.py [--rounds N] [--seconds S] [--threads N] [--only NAME,...] [--peers NAME,...] [--out FILE]

Each workload and framework runs in a process of its own, all of them once a round, so that a machine whose speed drifts drifts
for all. What pip has not installed is left out. The workloads are those of Benchmarks/Sources/bench, float32.
"""
import argparse
import datetime
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
PEERS = ["torch", "torch.compile", "jax"]
HERE = os.path.dirname(os.path.abspath(__file__))


# What the other frameworks run: one function for each workload that returns one step.

def torch_workloads(compiled):
    import torch
    from torch import nn
    from torch.nn import functional as F
    wrap = torch.compile if compiled else (lambda function: function)

    def training(model, x, y, loss, optimizer):
        forward = wrap(lambda x, y: loss(model(x), y))

        def step():
            optimizer.zero_grad(set_to_none=True)
            value = forward(x, y)
            value.backward()
            optimizer.step()
            return value.item()
        return step

    def momentum(model):
        return torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, fused=True)

    def tokens(scores, y):
        return F.cross_entropy(scores.flatten(0, 1), y.flatten())

    def scalar():
        loss = wrap(lambda w, x, y: (x * w - y) ** 2)

        def step():
            w = torch.tensor([1.0], requires_grad=True)
            for _ in range(100):
                for x, y in ((1.0, 2.0), (2.0, 4.0), (3.0, 6.0)):
                    loss(w, x, y).backward()
                    w.data = w.data - 0.01 * w.grad.data
                    w.grad.data.zero_()
            return w.item()
        return step

    def seed_mlp():
        x, target = torch.randn(1000, 784), torch.randn(1000)
        weights = [torch.randn(s).requires_grad_() for s in ((784, 50), (50,), (50, 1), (1,))]

        def loss(w1, b1, w2, b2):
            return (((x @ w1 + b1).relu() @ w2 + b2).squeeze(-1) - target).square().mean()
        function = wrap(loss)

        def step():
            for weight in weights:
                weight.grad = None
            function(*weights).backward()
        return step

    def mnist_mlp():
        model = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10),
                              nn.LogSoftmax(-1))
        return training(model, torch.randn(64, 784), torch.randint(0, 10, (64,)), F.nll_loss, momentum(model))

    def lenet():
        model = nn.Sequential(
            nn.Conv2d(1, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(512, 128), nn.ReLU(), nn.Linear(128, 10), nn.LogSoftmax(-1))
        return training(model, torch.randn(64, 1, 28, 28), torch.randint(0, 10, (64,)), F.nll_loss, momentum(model))

    class Residual(nn.Module):
        def __init__(self, inputs, outputs, stride):
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.bn1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.bn2 = nn.BatchNorm2d(outputs)
            self.shortcut = nn.Identity()
            if stride != 1 or inputs != outputs:
                self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False),
                                              nn.BatchNorm2d(outputs))

        def forward(self, x):
            y = self.bn1(self.conv1(x)).relu()
            return (self.bn2(self.conv2(y)) + self.shortcut(x)).relu()

    def resnet18():
        layers = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
        inputs = 64
        for outputs in (64, 128, 256, 512):
            layers += [Residual(inputs, outputs, 1 if inputs == outputs else 2), Residual(outputs, outputs, 1)]
            inputs = outputs
        model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))
        x, y = torch.randn(16, 3, 32, 32), torch.randint(0, 10, (16,))
        return training(model, x, y, F.cross_entropy, momentum(model))

    class Characters(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(65, 256)
            self.lstm = nn.LSTM(256, 256, 2, batch_first=True)
            self.head = nn.Linear(256, 65)

        def forward(self, x):
            return self.head(self.lstm(self.embedding(x))[0])

    def char_lstm():
        model = Characters()
        optimizer = torch.optim.Adam(model.parameters(), 1e-3, fused=True)
        return training(model, torch.randint(0, 65, (32, 64)), torch.randint(0, 65, (32, 64)), tokens, optimizer)

    class Block(nn.Module):
        def __init__(self, width, heads):
            super().__init__()
            self.heads = heads
            self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.fc, self.mp = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

        def forward(self, x, cache=None, position=0):
            batch, time_steps, width = x.shape
            parts = self.qkv(self.ln1(x)).view(batch, time_steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            query, key, value = parts.unbind(0)
            if cache is not None:
                cache[0][:, :, position:position + time_steps] = key
                cache[1][:, :, position:position + time_steps] = value
                key, value = cache[0][:, :, :position + time_steps], cache[1][:, :, :position + time_steps]
            y = F.scaled_dot_product_attention(query, key, value, is_causal=cache is None)
            x = x + self.proj(y.transpose(1, 2).reshape(batch, time_steps, width))
            return x + self.mp(F.gelu(self.fc(self.ln2(x)), approximate="tanh"))

    class GPT(nn.Module):
        def __init__(self, vocabulary, context, width, layers, heads):
            super().__init__()
            self.tok, self.pos = nn.Embedding(vocabulary, width), nn.Embedding(context, width)
            self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
            self.lnf, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

        def forward(self, x, caches=None, position=0):
            y = self.tok(x) + self.pos.weight[position:position + x.shape[1]]
            for index, block in enumerate(self.blocks):
                y = block(y, caches[index] if caches else None, position)
            return self.head(self.lnf(y))

    def gpt():
        model = GPT(65, 128, 256, 4, 4)
        optimizer = torch.optim.AdamW(model.parameters(), 1e-3, fused=True)
        return training(model, torch.randint(0, 65, (16, 128)), torch.randint(0, 65, (16, 128)), tokens, optimizer)

    def elementwise():
        x, b, gradient = torch.randn(1 << 22, requires_grad=True), torch.randn(1 << 22), torch.randn(1 << 22)
        function = wrap(lambda x: torch.tanh(F.gelu(x, approximate="tanh") * b + x * 0.5))

        def step():
            x.grad = None
            function(x).backward(gradient)
        return step

    def rowwise():
        leaves = [torch.randn(4096, 1024), torch.ones(1024), torch.zeros(1024)]
        leaves = [leaf.requires_grad_() for leaf in leaves]
        gradient = torch.randn(4096, 1024)
        function = wrap(lambda x, w, b: F.layer_norm(x, (1024,), w, b).softmax(-1))

        def step():
            for leaf in leaves:
                leaf.grad = None
            function(*leaves).backward(gradient)
        return step

    def adamw():
        parameters = [nn.Parameter(torch.randn(1024, 1024)) for _ in range(10)]
        for parameter in parameters:
            parameter.grad = torch.randn(1024, 1024)
        return wrap(torch.optim.AdamW(parameters, 1e-3, fused=not compiled).step)

    def decode():
        model = GPT(50257, 256, 768, 12, 12).eval()
        caches = [(torch.zeros(1, 12, 256, 64), torch.zeros(1, 12, 256, 64)) for _ in range(12)]
        token = torch.tensor([[5]])

        @torch.inference_mode()
        def step():
            model(token, caches, 128)
        return None if compiled else step

    return dict(zip(WORKLOADS, [scalar, seed_mlp, mnist_mlp, lenet, resnet18, char_lstm, gpt, elementwise, rowwise,
                                adamw, decode]))


def jax_workloads():
    import jax
    import numpy as np
    from jax import lax, nn, numpy as jnp
    random = np.random.default_rng(0)

    def normal(*shape):
        return jnp.asarray(random.standard_normal(shape, dtype=np.float32))

    def classes(count, *shape):
        return jnp.asarray(random.integers(0, count, shape))

    def dense(inputs, outputs):
        return normal(inputs, outputs) / np.sqrt(inputs), jnp.zeros(outputs)

    def cross_entropy(scores, y):
        return -jnp.take_along_axis(nn.log_softmax(scores), y[..., None], -1).mean()

    def training(loss, update, parameters, state, x, y):
        @jax.jit
        def run(parameters, state):
            value, gradients = jax.value_and_grad(loss)(parameters, x, y)
            return update(parameters, state, gradients) + (value,)
        held = [parameters, state]

        def step():
            held[0], held[1], value = run(*held)
            return float(value)
        return step

    def zeros(tree):
        return jax.tree.map(jnp.zeros_like, tree)

    def momentum(parameters, velocity, gradients):
        velocity = jax.tree.map(lambda v, g: 0.9 * v + g, velocity, gradients)
        return jax.tree.map(lambda p, v: p - 0.01 * v, parameters, velocity), velocity

    def adam(decay):
        def update(parameters, state, gradients):
            first, second, count = state
            count = count + 1
            first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradients)
            second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradients)

            def change(p, m, v):
                root = jnp.sqrt(v / (1 - 0.999 ** count)) + 1e-8
                return p * (1 - 1e-3 * decay) - 1e-3 * (m / (1 - 0.9 ** count)) / root
            return jax.tree.map(change, parameters, first, second), (first, second, count)
        return update

    def scalar():
        @jax.jit
        def update(w, x, y):
            return w - 0.01 * jax.grad(lambda w: (x * w - y) ** 2)(w)

        def step():
            w = jnp.float32(1)
            for _ in range(100):
                for x, y in ((1.0, 2.0), (2.0, 4.0), (3.0, 6.0)):
                    w = update(w, x, y)
            return float(w)
        return step

    def seed_mlp():
        x, target = normal(1000, 784), normal(1000)

        def loss(p):
            return jnp.square((nn.relu(x @ p[0] + p[1]) @ p[2] + p[3]).squeeze(-1) - target).mean()
        run = jax.jit(jax.grad(loss))
        weights = [normal(784, 50), normal(50), normal(50, 1), normal(1)]
        return lambda: jax.block_until_ready(run(weights))

    def mnist_mlp():
        parameters = [dense(784, 256), dense(256, 128), dense(128, 10)]

        def loss(p, x, y):
            for w, b in p[:-1]:
                x = nn.relu(x @ w + b)
            return cross_entropy(x @ p[-1][0] + p[-1][1], y)
        return training(loss, momentum, parameters, zeros(parameters), normal(64, 784), classes(10, 64))

    def lenet():
        parameters = [(normal(5, 5, 1, 16) / 5, jnp.zeros(16)), (normal(5, 5, 16, 32) / 20, jnp.zeros(32)),
                      dense(512, 128), dense(128, 10)]

        def loss(p, x, y):
            for w, b in p[:2]:
                x = lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
                x = lax.reduce_window(nn.relu(x + b), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
            x = nn.relu(x.reshape(x.shape[0], -1) @ p[2][0] + p[2][1])
            return cross_entropy(x @ p[3][0] + p[3][1], y)
        return training(loss, momentum, parameters, zeros(parameters), normal(64, 28, 28, 1), classes(10, 64))

    def char_lstm():
        parameters = dict(embedding=normal(65, 256), head=dense(256, 65),
                          layers=[(normal(512, 1024) * 0.05, jnp.zeros(1024)) for _ in range(2)])

        def loss(p, tokens, y):
            x = p["embedding"][tokens].swapaxes(0, 1)
            for w, b in p["layers"]:
                def cell(state, x):
                    h, c = state
                    i, f, g, o = jnp.split(jnp.concatenate([x, h], -1) @ w + b, 4, -1)
                    c = nn.sigmoid(f) * c + nn.sigmoid(i) * jnp.tanh(g)
                    h = nn.sigmoid(o) * jnp.tanh(c)
                    return (h, c), h
                start = jnp.zeros((x.shape[1], 256))
                x = lax.scan(cell, (start, start), x)[1]
            return cross_entropy(x @ p["head"][0] + p["head"][1], y.T)
        state = (zeros(parameters), zeros(parameters), jnp.float32(0))
        return training(loss, adam(0), parameters, state, classes(65, 32, 64), classes(65, 32, 64))

    def layer_norm(x, w, b):
        centered = x - x.mean(-1, keepdims=True)
        return centered * lax.rsqrt(jnp.square(centered).mean(-1, keepdims=True) + 1e-5) * w + b

    def gpt(width=256, heads=4, context=128):
        def block():
            return dict(ln1=(jnp.ones(width), jnp.zeros(width)), ln2=(jnp.ones(width), jnp.zeros(width)),
                        qkv=dense(width, 3 * width), proj=dense(width, width), fc=dense(width, 4 * width),
                        mp=dense(4 * width, width))
        parameters = dict(tok=normal(65, width), pos=normal(context, width), blocks=[block() for _ in range(4)],
                          lnf=(jnp.ones(width), jnp.zeros(width)), head=normal(width, 65) * 0.05)
        visible = jnp.tril(jnp.ones((context, context), bool))

        def loss(p, tokens, y):
            x = p["tok"][tokens] + p["pos"]
            for q in p["blocks"]:
                parts = layer_norm(x, *q["ln1"]) @ q["qkv"][0] + q["qkv"][1]
                parts = parts.reshape(x.shape[0], context, 3, heads, -1).transpose(2, 0, 3, 1, 4)
                scores = parts[0] @ parts[1].swapaxes(-1, -2) / np.sqrt(width // heads)
                weights = nn.softmax(jnp.where(visible, scores, -jnp.inf))
                x = x + (weights @ parts[2]).swapaxes(1, 2).reshape(x.shape) @ q["proj"][0] + q["proj"][1]
                x = x + nn.gelu(layer_norm(x, *q["ln2"]) @ q["fc"][0] + q["fc"][1]) @ q["mp"][0] + q["mp"][1]
            return cross_entropy(layer_norm(x, *p["lnf"]) @ p["head"], y)
        state = (zeros(parameters), zeros(parameters), jnp.float32(0))
        return training(loss, adam(0.01), parameters, state, classes(65, 16, context), classes(65, 16, context))

    def elementwise():
        x, b, gradient = normal(1 << 22), normal(1 << 22), normal(1 << 22)
        run = jax.jit(lambda x: jax.vjp(lambda x: jnp.tanh(nn.gelu(x) * b + x * 0.5), x)[1](gradient))
        return lambda: jax.block_until_ready(run(x))

    def rowwise():
        x, gradient, w, b = normal(4096, 1024), normal(4096, 1024), jnp.ones(1024), jnp.zeros(1024)
        run = jax.jit(lambda *a: jax.vjp(lambda x, w, b: nn.softmax(layer_norm(x, w, b)), *a)[1](gradient))
        return lambda: jax.block_until_ready(run(x, w, b))

    return {"scalar": scalar, "seed-mlp": seed_mlp, "mnist-mlp": mnist_mlp, "lenet": lenet, "char-lstm": char_lstm,
            "gpt": gpt, "elementwise": elementwise, "rowwise": rowwise}


# One measurement, in a process of its own.

def measure_here(peer, workload, seconds, threads):
    """The median time of a step in milliseconds, or None where the peer has no such workload."""
    if peer == "jax":
        steps = jax_workloads()
    else:
        import torch
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        steps = torch_workloads(peer == "torch.compile")
    step = steps[workload]() if workload in steps else None
    if step is None:
        return None
    for _ in range(4):
        step()
    times, start = [], time.perf_counter()
    while len(times) < 5 or (time.perf_counter() - start < seconds and len(times) < 2000):
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return statistics.median(times) * 1e3


def measure(peer, workload, options):
    if peer == "chainrule":
        with tempfile.NamedTemporaryFile(suffix=".json") as rows:
            subprocess.run([options.bench, "--only", workload, "--seconds", str(options.seconds), "--threads",
                            str(options.threads), "--json", rows.name], check=True, stdout=subprocess.DEVNULL)
            return json.load(open(rows.name))[0]["median_ms"]
    environment = dict(os.environ, OMP_NUM_THREADS=str(options.threads), TORCHINDUCTOR_COMPILE_THREADS="1")
    command = [sys.executable, os.path.abspath(__file__), "--measure", peer, workload, "--seconds",
               str(options.seconds), "--threads", str(options.threads)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    lines = result.stdout.split()
    if result.returncode != 0:
        print(f"{peer} {workload}: failed: {result.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    return float(lines[-1]) if result.returncode == 0 and lines and lines[-1] != "None" else None


# The report.

def processor():
    try:
        names = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
        return names[0] if names else platform.processor()
    except OSError:
        return platform.processor()


def versions(peers):
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True).stdout.strip().splitlines()
    found = [swift[0] if swift else "Swift"]
    for module in ("torch", "jax"):
        if any(peer.startswith(module) for peer in peers):
            found.append(f"{module} {__import__(module).__version__}")
    return ", ".join(found)


def report(samples, peers, options):
    lines = ["# Performance", "", f"`make bench-compare`, {datetime.date.today()}: {processor()}, {options.threads} threads; "
             f"{versions(peers)}.", "",
             f"Milliseconds for one call, float32: the median of {options.rounds} rounds, each the median of calls for "
             f"{options.seconds:g} s in a process of its own, all frameworks in turn. ChainRule is the faster of eager and "
             "compiled. The ratio is the median over the rounds of (the fastest other / ChainRule), with its least and "
             "largest value in brackets: above 1 ChainRule is faster.", ""]
    lines.append("| workload | ChainRule | " + " | ".join(peers) + " | ratio |")
    lines.append("|---" * (len(peers) + 3) + "|")
    ratios = []
    for workload in options.workloads:
        ours = samples[workload]["chainrule"]
        theirs = [samples[workload].get(peer, []) for peer in peers]
        rounds = [min(t[i] for t in theirs if len(t) > i) / ours[i] for i in range(len(ours))
                  if any(len(t) > i for t in theirs)]
        cells = [f"{statistics.median(t):.3g}" if t else "–" for t in [ours] + theirs]
        ratio = "–"
        if rounds:
            ratios.append(statistics.median(rounds))
            ratio = f"**{ratios[-1]:.2f}** ({min(rounds):.2f} to {max(rounds):.2f})"
        lines.append(f"| `{workload}` | " + " | ".join(cells) + f" | {ratio} |")
    if ratios:
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        lines += ["", f"Geometric mean of the ratios: **{mean:.2f}**; the least: {min(ratios):.2f}."]
    lines += ["", "The workloads are defined in `Benchmarks/Sources/bench` and, for the others, in `Benchmarks/compare.py`. To measure "
              "again: `pip install torch jax numpy`, then `make bench-compare` on an idle machine.", ""]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--only", default=",".join(WORKLOADS))
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--bench", default=os.path.join(HERE, ".build", "release", "bench"))
    parser.add_argument("--out", default=os.path.join(HERE, "..", "docs", "PERFORMANCE.md"))
    parser.add_argument("--measure", nargs=2, metavar=("PEER", "WORKLOAD"), help="only this, here, and print it")
    options = parser.parse_args()
    if options.measure:
        print(measure_here(*options.measure, options.seconds, options.threads))
        return
    options.workloads = [name for name in options.only.split(",") if name]
    peers = [peer for peer in options.peers.split(",") if importlib.util.find_spec(peer.split(".")[0])]
    samples = {workload: {} for workload in options.workloads}
    for round_number in range(options.rounds):
        for workload in options.workloads:
            for peer in ["chainrule"] + peers:
                # What failed or is missing once is not tried again.
                if round_number and peer not in samples[workload]:
                    continue
                value = measure(peer, workload, options)
                if value is not None:
                    samples[workload].setdefault(peer, []).append(value)
                    print(f"round {round_number + 1}  {workload:12s} {peer:14s} {value:10.3f} ms", flush=True)
    text = report(samples, peers, options)
    os.makedirs(os.path.dirname(options.out), exist_ok=True)
    open(options.out, "w").write(text)
    print("\n" + text)


if __name__ == "__main__":
    main()
