"""The workloads of Benchmarks/Sources/bench in JAX: one function for each that prepares and returns one step. What needs batch norms,
a fused optimiser or a cache is left out."""
import jax
import numpy as np
from jax import lax, nn, numpy as jnp


def workloads():
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
