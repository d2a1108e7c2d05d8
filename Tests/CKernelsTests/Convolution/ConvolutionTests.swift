import CKernels
import Testing

/// Whether `actual` is within rounding of `expected`, where `size` is the sum of the absolute values that were added.
private func isClose<T: ConvolutionElement>(_ actual: [T], _ expected: [Double], _ size: [Double]) -> Bool {
    let unit = Double(T.ulpOfOne)
    return actual.indices.allSatisfy { abs(Double(actual[$0]) - expected[$0]) <= 8 * unit * size[$0] }
}

/// All three passes against plain loops, under each instruction set.
private func check<T: ConvolutionElement>(_ g: ConvolutionGeometry, seed: UInt64, as type: T.Type) {
    var random = TestRandom(seed: seed)
    func values(_ count: Int) -> [T] { (0..<count).map { _ in T(random.uniform()) } }
    let x = values(g.xCount), w = values(g.wCount), dy = values(g.yCount)
    let bias: [T]? = seed.isMultiple(of: 2) ? values(g.outChannels) : nil
    let plane = g.output.reduce(1, *)
    var y = (0..<g.yCount).map { i in bias.map { Double($0[i / plane % g.outChannels]) } ?? 0 }
    var dx = [Double](repeating: 0, count: g.xCount), dw = [Double](repeating: 0, count: g.wCount)
    var ySize = y.map(abs), dxSize = dx, dwSize = dw
    g.forEachProduct { xi, wi, yi in
        let xv = Double(x[xi]), wv = Double(w[wi]), dyv = Double(dy[yi])
        y[yi] += xv * wv
        ySize[yi] += abs(xv * wv)
        dx[xi] += dyv * wv
        dxSize[xi] += abs(dyv * wv)
        dw[wi] += dyv * xv
        dwSize[wi] += abs(dyv * xv)
    }
    withEachInstructionSet { isa in
        let passes = ConvolutionPasses<T>(g, x: x, w: w, dy: dy, bias: bias)
        // Not inside of #expect: it would print all the elements.
        let forward = isClose(passes.y, y, ySize), inputGrad = isClose(passes.dx, dx, dxSize)
        let weightGrad = isClose(passes.dw, dw, dwSize)
        #expect(forward, "forward \(T.self) \(isa) \(g)")
        #expect(inputGrad, "input gradient \(T.self) \(isa) \(g)")
        #expect(weightGrad, "weight gradient \(T.self) \(isa) \(g)")
    }
}

@Suite struct ConvolutionTests {
    @Test func randomGeometries() {
        var random = TestRandom(seed: 1)
        var seed: UInt64 = 0
        while seed < 300 {
            func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
            func axes(_ range: ClosedRange<Int>) -> [Int] { (0..<3).map { _ in pick(range) } }
            var g = ConvolutionGeometry(
                batch: pick(1...3), groups: pick(1...3), input: axes(1...9), kernel: axes(1...4), stride: axes(1...4),
                padding: axes(0...3), dilation: axes(1...3))
            g.inChannels = g.groups * pick(1...3)
            g.outChannels = g.groups * pick(1...9)
            let leadingOnes = pick(0...2)
            for a in 0..<leadingOnes {
                (g.input[a], g.kernel[a], g.stride[a], g.padding[a], g.dilation[a]) = (1, 1, 1, 0, 1)
            }
            guard g.isValid else { continue }
            seed += 1
            check(g, seed: seed, as: Float.self)
            check(g, seed: seed, as: Double.self)
        }
    }

    /// Channel counts and planes around each edge of tiles, panels, and chunks of depth and pixels.
    @Test func edges() {
        var geometries: [ConvolutionGeometry] = []
        for channels in [1, 3, 4, 5, 7, 8, 9, 16, 17, 63, 64, 65] {
            geometries.append(.square(2, 3, channels, size: 6, kernel: 3, padding: 1))
            geometries.append(.square(2, channels, 5, size: 5, kernel: 2, stride: 2))
        }
        for size in [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 50] {
            geometries.append(.square(1, 2, 3, size: size, kernel: 3, padding: 1))
            geometries.append(.square(2, 1, 5, size: size, kernel: 3, stride: 2, padding: 1))
            geometries.append(.square(1, 2, 2, size: size, kernel: 1))
            geometries.append(.square(1, 2, 2, size: size, kernel: 3, padding: 4, dilation: 3))
        }
        geometries.append(.square(1, 70, 5, size: 4, kernel: 3, padding: 1))
        geometries.append(.square(3, 150, 130, size: 3, kernel: 2, stride: 2, padding: 1))
        geometries.append(.square(1, 1, 2, size: 24, kernel: 17))
        geometries.append(.square(2, 1, 16, size: 14, kernel: 5))
        geometries.append(.square(3, 12, 40, size: 9, kernel: 5))
        geometries.append(.square(4, 9, 30, size: 8, kernel: 4, stride: 2, groups: 3))
        geometries.append(.square(1, 3, 600, size: 6, kernel: 3, padding: 1))
        geometries.append(.square(1, 2, 3, size: 32, kernel: 8, stride: 8))
        geometries.append(.square(2, 3, 4, size: 9, kernel: 2, stride: 5))
        geometries.append(.square(1, 2, 2, size: 2, kernel: 5, padding: 2))
        geometries.append(.square(2, 24, 24, size: 9, kernel: 3, padding: 1, groups: 24))
        geometries.append(.square(2, 8, 16, size: 9, kernel: 3, stride: 2, padding: 1, groups: 8))
        for (i, g) in geometries.enumerated() {
            check(g, seed: UInt64(i), as: Float.self)
            if i.isMultiple(of: 3) { check(g, seed: UInt64(i), as: Double.self) }
        }
    }

    @Test func lenetLayers() {
        check(.square(5, 1, 16, size: 28, kernel: 5), seed: 1, as: Float.self)
        check(.square(9, 16, 32, size: 12, kernel: 5), seed: 2, as: Float.self)
        check(.square(2, 17, 11, size: 12, kernel: 5), seed: 3, as: Float.self)
        check(.square(3, 16, 9, size: 14, kernel: 5), seed: 4, as: Float.self)
        check(.square(2, 33, 8, size: 8, kernel: 5, padding: 4), seed: 5, as: Float.self)
        check(.square(2, 8, 20, size: 10, kernel: 5, padding: 4), seed: 6, as: Float.self)
    }

    /// Kernels and channels for which the source is read in place: widths around each tile, rows beside the source, both
    /// gradients' paddings.
    @Test func readInPlace() {
        var geometries: [ConvolutionGeometry] = []
        for width in [4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 23, 29] {
            geometries.append(
                ConvolutionGeometry(
                    batch: 2, inChannels: 15, outChannels: 16, input: [1, 5, width], kernel: [1, 3, 3],
                    padding: [0, width % 3, 1], dilation: [1, 1 + width % 2, 1]))
        }
        for channels in [3, 7, 8, 9, 16, 17, 31, 32, 33, 40] {
            geometries.append(.square(1, channels, 17, size: 9, kernel: 4, padding: channels % 4))
            geometries.append(.square(1, 17, channels, size: 8, kernel: 5))
            geometries.append(.square(2, 1, channels, size: 6 + channels, kernel: 3, padding: channels % 3))
        }
        geometries.append(
            ConvolutionGeometry(
                batch: 1, inChannels: 20, outChannels: 20, input: [1, 9, 10], kernel: [1, 7, 2], stride: [1, 2, 1],
                padding: [0, 8, 1], dilation: [1, 3, 2]))
        for stride in 1...3 {
            geometries.append(.square(3, 5, 33, size: 11, kernel: 5, stride: stride, padding: 2))
            geometries.append(.square(30, 3, 9, size: 6, kernel: 3, stride: stride, padding: 1))
        }
        for (i, g) in geometries.enumerated() { check(g, seed: UInt64(i), as: Float.self) }
    }

    /// An empty batch: no outputs, and a weight gradient of zeros.
    @Test func emptyBatch() {
        let g = ConvolutionGeometry.square(0, 2, 3, size: 4, kernel: 3)
        withEachInstructionSet { _ in
            let w = [Float](repeating: 1, count: g.wCount)
            let passes = ConvolutionPasses<Float>(g, x: [], w: w, dy: [], bias: nil)
            #expect(passes.y.isEmpty && passes.dx.isEmpty)
            #expect(passes.dw == [Float](repeating: 0, count: g.wCount))
        }
    }

    /// <conv(x, w), dy> = <x, dx> = <w, dw>, exactly, on whole numbers.
    @Test func gradientsAreAdjoint() {
        var random = TestRandom(seed: 7)
        let geometries: [ConvolutionGeometry] = [
            .square(3, 6, 10, size: 13, kernel: 3, stride: 2, padding: 1),
            .square(2, 9, 20, size: 17, kernel: 4, padding: 2, dilation: 2),
            .square(4, 16, 12, size: 10, kernel: 3, stride: 3, padding: 2, groups: 4),
            ConvolutionGeometry(
                batch: 2, inChannels: 5, outChannels: 9, input: [5, 11, 26], kernel: [2, 3, 4], stride: [2, 1, 3],
                padding: [1, 2, 3], dilation: [1, 3, 2]),
        ]
        for g in geometries {
            func values(_ count: Int) -> [Float] {
                (0..<count).map { _ in Float(Int.random(in: -4...4, using: &random)) }
            }
            let x = values(g.xCount), w = values(g.wCount), dy = values(g.yCount)
            func dot(_ a: [Float], _ b: [Float]) -> Double { zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) } }
            withEachInstructionSet { isa in
                let passes = ConvolutionPasses<Float>(g, x: x, w: w, dy: dy, bias: nil)
                let forward = dot(passes.y, dy)
                #expect(forward == dot(x, passes.dx), "input gradient \(isa) \(g)")
                #expect(forward == dot(w, passes.dw), "weight gradient \(isa) \(g)")
            }
        }
    }

    /// Work that is cut into blocks in every way: over pixels, rows, phases, groups, and parts of the pixels.
    @Test func threadsDoNotChangeResults() {
        let geometries: [ConvolutionGeometry] = [
            .square(64, 1, 16, size: 28, kernel: 5),
            .square(16, 16, 32, size: 12, kernel: 5),
            .square(2, 64, 256, size: 8, kernel: 3, padding: 1),
            .square(2, 64, 130, size: 12, kernel: 3, stride: 2, padding: 1),
            .square(8, 32, 32, size: 32, kernel: 3, padding: 1, groups: 32),
        ]
        for g in geometries { ConvolutionData(g, seed: 3).checkThreads(g) }
    }

    /// What is not finite reaches every result it takes part in; padding counts as zeros and zeros are multiplied.
    @Test func specialValues() {
        let g = ConvolutionGeometry.square(1, 2, 5, size: 9, kernel: 3)
        let special: [(Float, (Float) -> Bool)] = [
            (.nan, { $0.isNaN }), (.infinity, { $0 == .infinity }), (-.infinity, { $0 == -.infinity }),
        ]
        for (value, holds) in special {
            withEachInstructionSet { isa in
                var x = [Float](repeating: 1, count: g.xCount)
                x[4 * 9 + 4] = value  // the middle of channel 0
                let w = [Float](repeating: 1, count: g.wCount), dy = [Float](repeating: 1, count: g.yCount)
                let passes = ConvolutionPasses<Float>(g, x: x, w: w, dy: dy, bias: nil)
                for (i, y) in passes.y.enumerated() {
                    let row = i % 49 / 7, column = i % 7
                    let meets = (2...4).contains(row) && (2...4).contains(column)
                    #expect(meets ? holds(y) : y == 18, "\(value) \(isa) at \(i)")
                }
                for (i, dw) in passes.dw.enumerated() { #expect(i / 9 % 2 == 0 ? holds(dw) : dw == 49) }
                #expect(passes.dx.allSatisfy { $0.isFinite })
            }
        }
        let padded = ConvolutionGeometry.square(1, 1, 1, size: 3, kernel: 3, padding: 1)
        withEachInstructionSet { _ in
            let tiny: Float = 0x1p-140
            let passes = ConvolutionPasses<Float>(
                padded, x: [Float](repeating: tiny, count: 9), w: [Float](repeating: 1, count: 9),
                dy: [Float](repeating: 1, count: 9), bias: nil)
            #expect(passes.y == [4, 6, 4, 6, 9, 6, 4, 6, 4].map { $0 * tiny }, "denormals add exactly")
        }
    }
}
