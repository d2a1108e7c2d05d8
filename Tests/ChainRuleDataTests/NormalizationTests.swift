import ChainRule
import ChainRuleData
import Foundation
import Testing

struct NormalizationTests {
    private func data(_ values: [Float], _ shape: Shape) -> LabeledData {
        LabeledData(inputs: Tensor(values, shape: shape), targets: .zeros([shape[0]], dtype: .int64))
    }

    @Test func featuresOfRows() {
        let rows = data([1, 10, 7, 3, 30, 7], [2, 3])
        let normalization = Normalization(of: rows)
        #expect(normalization == Normalization(mean: [2, 20, 7], deviation: [1, 10, 1]))
        #expect(normalization.apply(to: rows.inputs).toArray(of: Float.self) == [-1, -1, 0, 1, 1, 0])
        #expect(normalization.apply(to: rows.inputs[0..<1]).toArray(of: Float.self) == [-1, -1, 0])
    }

    @Test func channelsOfImages() {
        let images = data([0, 2, 10, 10, 4, 6, 30, 30], [2, 2, 1, 2])
        let normalization = Normalization(of: images)
        #expect(normalization.mean == [3, 20] && normalization.deviation == [Double(5).squareRoot(), 10])
        #expect(normalization.apply(to: images.inputs).shape == [2, 2, 1, 2])
        #expect(normalization.apply(to: images.inputs).toArray(of: Float.self)[2] == -1)
    }

    /// More rows than a block; large values whose spread a one-pass formula would lose.
    @Test func manyRows() {
        let values = (0..<5000).map { Float(100_000 + $0 % 2) }
        let normalization = Normalization(of: data(values, [5000, 1]))
        #expect(normalization == Normalization(mean: [100_000.5], deviation: [0.5]))
    }

    @Test func trainingPartDecides() {
        let problem = ClassificationData(
            train: data([0, 2], [2, 1]), test: data([3], [1, 1]), classNames: ["a", "b"], name: "x")
        let normalized = problem.normalized(by: Normalization(of: problem.train))
        #expect(normalized.train.inputs.toArray(of: Float.self) == [-1, 1])
        #expect(normalized.test.inputs.toArray(of: Float.self) == [2])
    }

    @Test func travelsAsJSON() throws {
        let normalization = Normalization(mean: [0.1307], deviation: [0.3081])
        let copy = try JSONDecoder().decode(Normalization.self, from: JSONEncoder().encode(normalization))
        #expect(copy == normalization)
    }
}
