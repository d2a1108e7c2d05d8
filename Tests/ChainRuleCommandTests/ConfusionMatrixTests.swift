import ChainRule
import ChainRuleTraining
import Testing

struct ConfusionMatrixTests {
    @Test func countsTruthsAndPredictions() {
        var matrix = ConfusionMatrix(classNames: ["a", "b"])
        matrix.add(scores: Tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), targets: Tensor([1, 0, 0]))
        matrix.add(scores: .zeros([0, 2]), targets: .zeros([0], dtype: .int64))
        #expect(matrix.counts == [[1, 1], [0, 1]] && matrix.correct == 2)
    }

    @Test func whatDoesNotFitIsAMistake() {
        for (scores, targets) in [([2, 3], [0, 1]), ([2, 2], [0, 2]), ([2, 2], [0, -1]), ([2, 2], [0])] {
            let error = #expect(throws: TensorError.self) {
                try catchingErrors {
                    var matrix = ConfusionMatrix(classNames: ["a", "b"])
                    matrix.add(scores: .zeros(Shape(scores)), targets: Tensor(targets))
                }
            }
            #expect(error?.message.contains("do not fit 2 classes") == true)
        }
    }
}
