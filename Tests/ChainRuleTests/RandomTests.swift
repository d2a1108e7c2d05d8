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
        #expect(Tensor.full([8], 0.3).bernoulli(generator: g).toArray(of: Int.self) == [0, 1, 0, 1, 0, 1, 0, 1])
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

    /// One probability for all is compared with 53 bits a draw, a tensor of float32 with 24.
    @Test func oneProbabilityForAll() {
        let g = Generator(seed: 9)
        #expect(Tensor.bernoulli(0.3, [8], generator: g).toArray(of: Int.self) == [1, 0, 0, 1, 1, 0, 1, 1])
        #expect(Tensor.bernoulli(0.5, [40], generator: g).sum().item() == 21)
    }

    @Test func probabilitiesOfTheirOwn() {
        let g = Generator(seed: 5)
        let p = [0.1, 0.5, 0.9, 0.5]
        #expect(Tensor(p).to(.float32).bernoulli(generator: g).toArray(of: Int.self) == [0, 1, 0, 0])
        #expect(Tensor(p).bernoulli(generator: g).toArray(of: Int.self) == [0, 1, 1, 0])
        #expect(
            isClose(
                .normal([3], mean: 2, std: 3, generator: g),
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

    /// The layout is PyTorch's: the sum of the bytes and those that are not words of the twister were read off `get_rng_state()`.
    @Test func statesAsBytes() throws {
        let g = Generator(seed: 42)
        _ = Tensor.rand([3], generator: g)
        _ = Tensor.randn([1], generator: g)
        let bytes = g.snapshot.bytes
        #expect(bytes.count == 5056)
        #expect(bytes.reduce(0) { $0 + Int($1) } == 320_417)
        #expect(bytes[..<24] == [42, 0, 0, 0, 0, 0, 0, 0, 0x6A, 2, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0])
        #expect(
            bytes[5024..<5044] == [4, 0x31, 0xAA, 0x66, 0xBE, 0xD1, 0xF9, 0xBF, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
        let other = Generator()
        other.snapshot = try Generator.Snapshot(bytes: bytes)
        #expect(isClose(.randn([2], generator: other), [-1.6137069463729858, -0.21470452845096588]))
        #expect(other.seed == 42)
        #expect(try Generator.Snapshot(bytes: Generator(seed: 1).snapshot.bytes) == Generator(seed: 1).snapshot)
    }

    @Test func bytesThatAreNoState() {
        let bytes = Generator(seed: 1).snapshot.bytes
        var broken = bytes
        broken[30] = 1  // the upper half of a word
        for wrong in [[], Array(bytes.dropLast()), [UInt8](repeating: 0, count: 5056), broken] {
            #expect(throws: Generator.Snapshot.FormatError.self) { try Generator.Snapshot(bytes: wrong) }
        }
    }

    @Test func halvesAreRoundedFloats() {
        let wide = Tensor.rand([10], generator: Generator(seed: 2)).to(.float16)
        let half = Tensor.rand([10], dtype: .float16, generator: Generator(seed: 2))
        #expect(half.toArray(of: Float.self) == wide.toArray(of: Float.self))
    }

    /// The upper bound is left out: what rounds to it becomes the lower one.
    @Test func theUpperBoundIsLeftOut() {
        let half = Tensor.rand([20_000], dtype: .float16, generator: Generator(seed: 5)).toArray(of: Float.self)
        #expect(half.max() == 0.99951171875)
        #expect(half.filter { $0 == 0 }.count == 5)
        let narrow = Tensor.uniform([20_000], 100...100.00003, generator: Generator(seed: 5)).toArray(of: Float.self)
        #expect(narrow.max() == 100.00002288818359)
    }

    /// PyTorch draws 16-bit normals block by block, not all at once.
    @Test func normalHalves() {
        let g = Generator(seed: 9)
        let half = Tensor.randn([20], dtype: .float16, generator: g).toArray(of: Double.self)
        #expect(half[..<4] == [-1.0673828125, -0.71728515625, 1.08984375, -1.57421875])
        #expect(half[16...] == [-0.2744140625, -1.056640625, -1.5703125, -1.4150390625])
        #expect(Tensor.rand([2], generator: g).toArray(of: Float.self) == [0.8898236751556396, 0.817786693572998])
    }

    @Test func rangesThatAreNoPowerOfTwo() {
        let g = Generator(seed: 9)
        #expect(
            Tensor.uniform([4], -0.3...0.77, generator: g).toArray(of: Float.self) == [
                0.401689350605011, 0.023164251819252968, 0.2134891301393509, 0.5317897200584412,
            ])
        #expect(
            Tensor.uniform([3], -0.3...0.77, dtype: .float64, generator: g).toArray(of: Double.self) == [
                0.06777474788242202, -0.21131464559554394, -0.25343719279549043,
            ])
    }

    @Test func longFills() {
        let g = Generator(seed: 9)
        let floats = Tensor.randn([1000], generator: g).toArray(of: Double.self)
        let expected = [
            -1.067394733428955, 0.9523862600326538, 0.3551802337169647, 2.237194776535034, 0.2116091251373291,
        ]
        #expect(isClose(Tensor([0, 500, 991, 992, 999].map { floats[$0] }), expected))
        let doubles = Tensor.randn([100_000], dtype: .float64, generator: g).toArray(of: Double.self)
        let ends = [0.5657388209723208, -0.2212681000856981, 0.1481120935505273]
        #expect(isClose(Tensor([0, 50_000, 99_999].map { doubles[$0] }), ends, tolerance: 1e-12))
    }

    @Test func wideIntegers() {
        let g = Generator(seed: 9)
        #expect(Tensor.randint(0, 1 << 28, [2], generator: g).toArray(of: Int.self) == [223_170_908, 264_700_405])
        #expect(Tensor.randint(0, 1 << 28 - 1, [2], generator: g).toArray(of: Int.self) == [250_281_917, 32_397_368])
        #expect(
            Tensor.randint(.min, .max, [2], generator: g).toArray(of: Int.self)
                == [-6_754_652_892_777_147_498, -6_601_885_090_657_529_279])
        #expect(Tensor.randint(0, 256, [3], dtype: .uint8, generator: g).toArray(of: Int.self) == [22, 180, 59])
        #expect(Tensor.randint(-3, 3, [3], dtype: .float64, generator: g).toArray(of: Double.self) == [-3, 1, 2])
    }

    @Test func exponentials() {
        let g = Generator(seed: 9)
        #expect(
            isClose(
                .exponential([3], rate: 2.5, generator: g),
                [0.11309164762496948, 0.7309670448303223, 0.16846388578414917], tolerance: 1e-7))
        #expect(
            isClose(
                .exponential([2], dtype: .float64, generator: g), [0.08652077966768147, 0.044491889361617264],
                tolerance: 1e-14))
    }

    @Test func choicesByWeight() {
        let g = Generator(seed: 9)
        let weights = Tensor([0.1, 0.5, 2, 0, 1.4, 3] as [Float])
        let rows = weights.reshape(2, 3)
        func draw(_ weights: Tensor, _ count: Int, replacement: Bool = false) -> [Int] {
            weights.multinomial(count, replacement: replacement, generator: g).toArray()
        }
        #expect(draw(weights, 3) == [4, 2, 5])
        #expect(draw(weights, 1) == [2])
        #expect(draw(weights, 10, replacement: true) == [5, 2, 5, 0, 2, 5, 5, 4, 4, 2])
        #expect(draw(rows.to(.float64), 2) == [2, 1, 2, 1])
        #expect(draw(rows, 3, replacement: true) == [1, 2, 2, 2, 1, 2])
        #expect(rows.multinomial(2).shape == [2, 2])
    }

    @Test func elementsWithTheirOwnMean() {
        let (mean, std) = (Tensor([1, 2, 3] as [Float]), Tensor([0.5, 1, 2] as [Float]))
        let y = Tensor.normal(mean: mean, std: std, generator: Generator(seed: 9))
        #expect(isClose(y, [1.0223637819290161, 3.9112391471862793, 2.537938117980957]))
    }

    @Test func otherSeeds() {
        let g = Generator(seed: 9)
        #expect(Tensor.randperm(1, generator: g).toArray(of: Int.self) == [0])
        #expect(Tensor.randperm(0, generator: g).shape == [0])
        #expect(Tensor.randperm(6, generator: g).toArray(of: Int.self) == [4, 0, 1, 5, 2, 3])
        #expect(Tensor.rand([1], generator: g).item(Float.self) == 0.9310336112976074)
        #expect(Tensor.rand([1], generator: Generator(seed: 1 << 33 + 9)).item(Float.self) == 0.6557844877243042)
        // The seed of the default generator of a program that never sets one.
        let fresh = Generator(seed: 67_280_421_310_721)
        #expect(Tensor.rand([2], generator: fresh).toArray(of: Float.self) == [0.267295241355896, 0.8725283145904541])
    }

    @Test func likeAnother() {
        let model = Tensor.zeros([2, 3], dtype: .float64)
        let y = Tensor.rand(like: model, generator: Generator(seed: 3))
        #expect(y.shape == [2, 3] && y.dtype == .float64)
        #expect(Tensor.randn(like: model, generator: Generator(seed: 3)).dtype == .float64)
    }

    /// As many draws as tensors of every small size take, so that the streams stay together whatever was drawn before.
    @Test func blocksAndSingleDrawsAgree() {
        for count in [1, 31, 32, 63, 64, 65, 623, 624, 625, 1023, 1024, 1025, 3000] {
            let (whole, pieces) = (Generator(seed: 7), Generator(seed: 7))
            let floats = Tensor.rand([count], generator: whole).toArray(of: Float.self)
            #expect(floats == (0..<count).map { _ in Tensor.rand([1], generator: pieces).item(Float.self) })
            let doubles = Tensor.rand([count], dtype: .float64, generator: whole).toArray(of: Double.self)
            let single = (0..<count).map { _ in Tensor.rand([1], dtype: .float64, generator: pieces).item() }
            #expect(doubles == single)
        }
    }

    @Test func swiftsOwnShuffle() {
        var g = Generator(seed: 3)
        var again = Generator(seed: 3)
        #expect((0..<20).shuffled(using: &g) == (0..<20).shuffled(using: &again))
    }

    @Test func badArguments() {
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.randint(3, 3, [1]) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.bernoulli(1.5, [1]) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.rand([1], dtype: .int64) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.randn([-1]) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.normal([1], mean: 0, std: -1) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.randint(0, 300, [1], dtype: .uint8) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.exponential([1], rate: 0) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor([0.0, 0]).multinomial(1) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor([1.0, -1]).multinomial(1) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor([1.0, 1]).multinomial(3) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor([1.5]).bernoulli() } }
    }
}
