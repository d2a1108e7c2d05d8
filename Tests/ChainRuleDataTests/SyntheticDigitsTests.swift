import ChainRule
import Foundation
import Testing

@testable import ChainRuleData

struct SyntheticDigitsTests {
    /// The bytes a seed means, on every machine.
    @Test func fixedBytes() {
        let (pixels, labels) = SyntheticDigits.bytes(count: 200, seed: 1)
        #expect(labels.prefix(10) == [4, 7, 8, 3, 0, 7, 7, 6, 5, 7])
        #expect(
            SHA256.hexDigest(of: Data(pixels + labels))
                == "9b65d7678a7c777bed6c5abeaa28f75eafa67f23dc3026c36c07750f981ed929")
    }

    @Test func sameSeedSameDigits() {
        let first = SyntheticDigits.generate(trainCount: 20, testCount: 20, seed: 3)
        let second = SyntheticDigits.generate(trainCount: 20, testCount: 20, seed: 3)
        let other = SyntheticDigits.generate(trainCount: 20, testCount: 20, seed: 4)
        #expect(first.train.inputs.toArray(of: Float.self) == second.train.inputs.toArray(of: Float.self))
        #expect(first.train.inputs.toArray(of: Float.self) != other.train.inputs.toArray(of: Float.self))
        #expect(first.train.inputs.toArray(of: Float.self) != first.test.inputs.toArray(of: Float.self))
        #expect(first.inputShape == [1, 28, 28])
        #expect(first.classNames.count == 10)
        #expect(first.name.contains("synthetic"))
    }

    @Test func moreImagesBeginWithTheSame() {
        let few = SyntheticDigits.bytes(count: 5, seed: 9)
        let many = SyntheticDigits.bytes(count: 50, seed: 9)
        #expect(few.pixels == Array(many.pixels.prefix(5 * 784)) && few.labels == Array(many.labels.prefix(5)))
    }

    @Test func noImages() {
        #expect(throws: TensorError.self) { try catchingErrors { SyntheticDigits.generate(count: 0, seed: 1) } }
    }

    @Test func imagesHaveInkAndPaper() {
        let (pixels, labels) = SyntheticDigits.bytes(count: 500, seed: 0)
        for image in 0..<500 {
            let values = pixels[(image * 784)..<((image + 1) * 784)]
            let ink = values.reduce(0) { $0 + Int($1) }
            #expect((3_000...90_000).contains(ink), "image \(image)")
            // The digit stays on the sheet: the outermost pixels are paper and noise.
            let border = values.enumerated().filter {
                [0, 27].contains($0.offset % 28) || [0, 27].contains($0.offset / 28)
            }
            #expect(border.reduce(0) { $0 + Int($1.element) } < 4_000, "image \(image)")
        }
        for digit in 0..<10 { #expect((25...80).contains(labels.filter { $0 == digit }.count)) }
    }

    /// The nearest mean image, the simplest classifier there is, does much better than chance and far from perfectly.
    @Test func digitsCanBeToldApart() {
        let (pixels, labels) = SyntheticDigits.bytes(count: 3000, seed: 2)
        var means = [[Double]](repeating: [Double](repeating: 0, count: 784), count: 10)
        func image(_ index: Int) -> [Double] { pixels[(index * 784)..<((index + 1) * 784)].map { Double($0) / 255 } }
        for index in 0..<2000 {
            let values = image(index)
            for place in 0..<784 { means[Int(labels[index])][place] += values[place] }
        }
        for digit in 0..<10 {
            let count = Double(labels.prefix(2000).filter { $0 == digit }.count)
            means[digit] = means[digit].map { $0 / count }
        }
        let correct = (2000..<3000).filter { index in
            let values = image(index)
            let distances = means.map { mean in zip(mean, values).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
            return distances.firstIndex(of: distances.min() ?? 0) == Int(labels[index])
        }.count
        #expect((550...900).contains(correct))
    }
}
