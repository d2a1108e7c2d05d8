import ChainRule
import Testing

private func isClose(_ tensor: Tensor, _ expected: [Double], tolerance: Double = 1e-6) -> Bool {
    let values = tensor.toArray(of: Double.self)
    return values.count == expected.count
        && zip(values, expected).allSatisfy { abs($0 - $1) <= tolerance * max(abs($1), 1e-3) }
}

/// PyTorch's numbers after the same seed.
struct RandomTests {
    /// One stream after seed 42, drawn in this order.
    @Test func streamOfSeed42() {
        let g = Generator(seed: 42)
        #expect(
            Tensor.rand([5], generator: g).toArray(of: Float.self) == [
                0.8822692632675171, 0.9150039553642273, 0.38286375999450684, 0.9593056440353394, 0.3904482126235962,
            ])
        #expect(
            isClose(
                .randn([5], generator: g),
                [0.3257518708705902, -0.8676281571388245, 1.5231338739395142, 0.6646648645401001, -1.0324476957321167]))
        let twenty = Tensor.randn([20], generator: g)
        #expect(
            isClose(
                twenty,
                [
                    -0.1595974713563919, -0.4973975419998169, 0.439589262008667, -0.7581311464309692,
                    -0.42451897263526917, 0.3057209253311157, -0.7745925188064575, 0.0349123440682888,
                    0.3211030066013336, 1.573600172996521, -0.8454674482345581, 1.312307596206665, 2.1227850914001465,
                    -1.234653115272522, -0.4879138767719269, -1.4180599451065063, 0.8962683081626892,
                    0.049905385822057724, 2.2667179107666016, 1.1789509057998657,
                ]))
        #expect(Tensor.randint(0, 100, [8], generator: g).toArray(of: Int.self) == [39, 86, 99, 15, 84, 78, 8, 66])
        #expect(Tensor.randperm(10, generator: g).toArray(of: Int.self) == [0, 3, 2, 8, 9, 1, 6, 5, 4, 7])
        #expect(
            Tensor.rand([3], dtype: .float64, generator: g).toArray(of: Double.self) == [
                0.5977713515360384, 0.8490028457480704, 0.0324956087559799,
            ])
        let doubles = Tensor.randn([20], dtype: .float64, generator: g)
        #expect(isClose(doubles[0..<2], [-0.6426551784819938, 0.8636024370428342], tolerance: 1e-12))
        #expect(isClose(doubles[18..<20], [0.87049067708538, 0.42876533202174155], tolerance: 1e-12))
        #expect(Tensor.bernoulli(0.3, [8], generator: g).toArray(of: Int.self) == [0, 1, 0, 1, 0, 1, 0, 1])
        #expect(
            Tensor.uniform([4], -1...1, generator: g).toArray(of: Float.self) == [
                0.5344512462615967, 0.35143959522247314, 0.32495594024658203, -0.5406461954116821,
            ])
    }

    @Test func tailsOfBlocks() {
        let g = Generator(seed: 5)
        #expect(
            isClose(.randn([19], generator: g)[0..<3], [1.8423298597335815, 0.5188871622085571, -1.7119213342666626]))
        #expect(isClose(.randn([19], generator: g)[17...], [-0.5144853591918945, 0.6216809749603271]))
        #expect(
            isClose(.randn([3], generator: g), [0.8967408537864685, 0.3135990798473358, -0.3215860426425934]))
        g.manualSeed(5)
        let doubles = Tensor.randn([33], dtype: .float64, generator: g).toArray(of: Double.self)
        #expect(
            isClose(
                Tensor([doubles[0], doubles[16], doubles[31], doubles[32]]),
                [0.8235713931461853, 0.5533408484111896, 0.3100498067164526, -0.21335828835700926], tolerance: 1e-12))
        #expect(
            Tensor.randint(0, 1 << 40, [2], generator: g).toArray(of: Int.self) == [745_643_699_899, 653_674_587_533])
        #expect(Tensor.randint(-5, 5, [4], generator: g).toArray(of: Int.self) == [1, 4, -3, -4])
    }

    @Test func probabilitiesOfTheirOwn() {
        let g = Generator(seed: 5)
        let p = [0.1, 0.5, 0.9, 0.5]
        #expect(Tensor(p).to(.float32).bernoulli(generator: g).toArray(of: Int.self) == [0, 1, 0, 0])
        #expect(Tensor(p).bernoulli(generator: g).toArray(of: Int.self) == [0, 1, 1, 0])
        #expect(
            isClose(
                .normal([3], mean: 2, deviation: 3, generator: g),
                [-2.205106019973755, -0.28767141699790955, 3.8936402797698975]))
    }

    @Test func snapshotsResume() {
        let g = Generator(seed: 1)
        _ = Tensor.randn([3], generator: g)
        let snapshot = g.snapshot
        let first = Tensor.randn([7], generator: g).toArray(of: Float.self)
        g.snapshot = snapshot
        #expect(Tensor.randn([7], generator: g).toArray(of: Float.self) == first)
    }

    @Test func halvesAreRoundedFloats() {
        let wide = Tensor.rand([10], generator: Generator(seed: 2)).to(.float16)
        let half = Tensor.rand([10], dtype: .float16, generator: Generator(seed: 2))
        #expect(half.toArray(of: Float.self) == wide.toArray(of: Float.self))
    }

    @Test func badArguments() {
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.randint(3, 3, [1]) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.bernoulli(1.5, [1]) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.rand([1], dtype: .int64) } }
    }
}
