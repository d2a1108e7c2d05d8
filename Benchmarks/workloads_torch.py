"""The workloads of Benchmarks/Sources/bench in PyTorch: one function for each that prepares and returns one step."""
import torch
from torch import nn
from torch.nn import functional as F


def workloads(compiled):
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
        function = wrap(model)

        @torch.inference_mode()
        def step():
            function(token, caches, 128)
        return step

    return {"scalar": scalar, "seed-mlp": seed_mlp, "mnist-mlp": mnist_mlp, "lenet": lenet, "resnet18": resnet18,
            "char-lstm": char_lstm, "gpt": gpt, "elementwise": elementwise, "rowwise": rowwise, "adamw": adamw,
            "decode": decode}
