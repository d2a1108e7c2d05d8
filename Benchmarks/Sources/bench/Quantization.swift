import ChainRule
import ChainRuleNN
import Foundation

/// What weights in fewer bits give and cost.
enum Quantization {
    static func run(_ settings: Settings) {
        let table = Table(
            "Weights in fewer bits",
            "The workload `decode` after `model.quantize(...)`, an option that no comparison counts. Its errors: a GPT (2 layers of 128) is trained with float32 on a made-up text and then reads another 4,096 letters. Scores spread over several units; the last column says how often another letter became the likeliest.",
            first: 12, ["weights", "ms a token", "perplexity", "score off by at most", "on average", "another letter"])
        let generator = Generator(seed: 1)
        let language = Language(generator)
        let model = trained(on: language, generator)
        let (x, y) = language.batch(64, generator)
        let exact = withoutGradient { model(x) }
        for format in [nil] + QuantizedWeight.Format.allCases.map(Optional.some) {
            let small = GPT(vocabulary: Language.letters, context: Language.length, width: 128, layers: 2, heads: 4)
            try? small.load(stateDictionary: model.stateDictionary)
            if let format { small.quantize(format) }
            let scores = withoutGradient { small(x) }
            let error = (scores - exact).abs()
            let changed = (scores.argmax(dim: -1) .!= exact.argmax(dim: -1)).to(.float32).mean().item()
            table.row([
                format?.description ?? "float32", short(settings.time(decode(format))),
                String(format: "%.4f", crossEntropyOfTokens(scores, y).exp().item()), short(error.max().item()),
                short(error.mean().item()), String(format: "%.2f %%", 100 * changed),
            ])
        }
        table.end()
    }

    private static func trained(on language: Language, _ generator: Generator) -> GPT {
        manualSeed(0)
        let model = GPT(vocabulary: Language.letters, context: Language.length, width: 128, layers: 2, heads: 4)
        let optimizer = AdamW(model.parameters, learningRate: 1e-3)
        for _ in 0..<300 {
            let (x, y) = language.batch(16, generator)
            optimizer.zeroGrad()
            crossEntropyOfTokens(model(x), y).backward()
            optimizer.step()
        }
        return model
    }
}

/// Texts in which each letter depends on the two before it: five may follow, some more often than others.
private struct Language {
    static let letters = 27
    static let length = 64
    private let followers: [Int]

    init(_ generator: Generator) {
        followers = Tensor.randint(0, Self.letters, [Self.letters * Self.letters * 5], generator: generator)
            .toArray(of: Int.self)
    }

    /// Texts (count, length), and the letters that come next.
    func batch(_ count: Int, _ generator: Generator) -> (x: Tensor, y: Tensor) {
        let length = Self.length + 1
        // The first of five in half the cases, and so on.
        let choices = Tensor.rand([count * length], generator: generator).toArray(of: Float.self)
            .map { min(4, Int(-log2(max($0, 1e-6)))) }
        var text: [Int] = []
        for index in 0..<count * length {
            let isStart = index % length < 2
            let before = isStart ? (0, index % Self.letters) : (text[index - 2], text[index - 1])
            text.append(followers[(before.0 * Self.letters + before.1) * 5 + choices[index]])
        }
        let all = Tensor(text, shape: [count, length])
        return (
            all.narrow(dim: 1, start: 0, length: Self.length), all.narrow(dim: 1, start: 1, length: Self.length)
        )
    }
}
