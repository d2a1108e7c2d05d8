import ChainRule

/// Matrix products against the machine's peak.
enum Products {
    private struct Product {
        let label: String
        let m, k, n: Int
        var batch = 1
        var transposesA = false, transposesB = false

        /// The operands; a transposed one lies in memory the other way round.
        var operands: (Tensor, Tensor) {
            let a = Tensor.randn(transposesA ? [batch, k, m] : [batch, m, k])
            let b = Tensor.randn(transposesB ? [batch, n, k] : [batch, k, n])
            let (x, y) = (transposesA ? a.transpose(1, 2) : a, transposesB ? b.transpose(1, 2) : b)
            return batch == 1 ? (x.squeeze(dim: 0), y.squeeze(dim: 0)) : (x, y)
        }

        var operations: Double { 2 * Double(batch) * Double(m) * Double(k) * Double(n) }
        var bytes: Double { 4 * Double(batch * (m * k + k * n + m * n)) }
        var shapes: String {
            (batch == 1 ? "" : "\(batch) of ") + "\(m)×\(k)" + (transposesA ? "ᵀ" : "") + " · \(k)×\(n)"
                + (transposesB ? "ᵀ" : "")
        }
    }

    private static let products: [Product] =
        [128, 256, 512, 1024, 2048].map { Product(label: "square", m: $0, k: $0, n: $0) } + [
            Product(label: "skinny", m: 64, k: 784, n: 256),
            Product(label: "skinny", m: 64, k: 128, n: 10),
            Product(label: "skinny", m: 1000, k: 784, n: 50),
            Product(label: "skinny", m: 2048, k: 64, n: 2048),
            Product(label: "skinny", m: 64, k: 16384, n: 64),
            Product(label: "recurrent", m: 32, k: 256, n: 1024),
            Product(label: "batch of 1", m: 1, k: 768, n: 3072),
            Product(label: "batch of 1", m: 1, k: 768, n: 50257, transposesB: true),
            Product(label: "batch of 1", m: 4096, k: 4096, n: 1),
            Product(label: "attention, scores", m: 128, k: 64, n: 128, batch: 64, transposesB: true),
            Product(label: "attention, values", m: 128, k: 128, n: 64, batch: 64),
            Product(label: "transposed", m: 1024, k: 1024, n: 1024, transposesA: true),
            Product(label: "transposed", m: 1024, k: 1024, n: 1024, transposesB: true),
            Product(label: "transposed", m: 784, k: 64, n: 256, transposesA: true),
            Product(label: "transposed", m: 2048, k: 256, n: 1024, transposesB: true),
        ]

    static func run(_ settings: Settings) {
        let table = Table(
            "Matrix products",
            "float32. The floor is the larger of operations at the peak and operands and result, once each, at the speed of reading; a small one may lie in a cache and pass it.",
            first: 40, ["product", "µs", "GFLOP/s", "of the peak", "GB/s", "of the floor"])
        for product in products {
            let (a, b) = product.operands
            let time = settings.time { _ = a.matmul(b) }
            let floor = max(product.operations / settings.limits.peak, product.bytes / settings.limits.read) * 1e-6
            let rate = product.operations / time * 1e-6
            table.row([
                "\(product.label): \(product.shapes)", short(time * 1e3), short(rate),
                percent(rate, of: settings.limits.peak), short(product.bytes / time * 1e-6), percent(floor, of: time),
            ])
        }
        table.end()
    }
}
