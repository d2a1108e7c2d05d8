import ArgumentParser
import ChainRule
import ChainRuleData
import ChainRuleTraining
import Foundation

struct Predict: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says which class one image or row belongs to.",
        discussion: """
            The input is one of: --row with numbers separated by commas; --image with a PGM file (P2 or P5) of the model's size; or --data with
            --index, a sample of a test set. Prints the class, then each class with its probability, the likeliest first.
            """)

    @Argument(help: "The model file that train wrote.")
    var model: String

    @Option(help: "The numbers of a row (or the pixels of an image, 0 to 1), separated by commas.")
    var row: String?

    @Option(help: "A PGM image.")
    var image: String?

    @Option(help: "A data set; --index says which of its test samples.")
    var data: String?

    @Option(help: "The directory that holds MNIST.")
    var dataDir: String?

    @Option(help: "Which test sample, counted from 0.")
    var index = 0

    @Option(help: "The seed the data were drawn or split with.")
    var seed: UInt64 = 0

    func validate() throws {
        guard [row, image, data].compactMap({ $0 }).count == 1 else {
            throw ValidationError("Give one of --row, --image and --data.")
        }
    }

    func run() throws {
        let file = try ModelFile(path: model)
        let (input, truth) = try sample(for: file)
        let normalized = file.description.normalization.apply(to: input)
        let scores = withoutGradient { file.model(normalized) }
        let probabilities = file.description.objective.probabilities(scores)[0].toArray(of: Double.self)
        let ranking = probabilities.enumerated().sorted { ($0.element, $1.offset) > ($1.element, $0.offset) }
        let names = file.description.classNames
        if let best = ranking.first { print("class \(names[best.offset])  probability \(fixed(best.element, 4))") }
        if let truth { print("truth \(names.indices.contains(truth) ? names[truth] : "\(truth)")") }
        for (index, probability) in ranking { print("  \(names[index])  \(fixed(probability, 4))") }
    }

    /// A batch of one, not yet normalised, and its class where it is known.
    private func sample(for file: ModelFile) throws -> (input: Tensor, truth: Int?) {
        let shape = file.description.inputShape
        if let row { return (try parsed(row, shape), nil) }
        if let image { return (try PGM.read(image, shape: shape), nil) }
        let source = try DataOptions.parse(["--data", data ?? ""] + (dataDir.map { ["--data-dir", $0] } ?? []))
        let data = try source.load(seed: seed)
        try file.check(data)
        guard data.test.inputs.shape[0] > index, index >= 0 else {
            throw DataError(
                "--index \(index) is out of range: \(data.name) has \(data.test.count) test samples, 0 to \(data.test.count - 1)"
            )
        }
        return (data.test.inputs[index..<(index + 1)], data.test.targets[index].item(Int.self))
    }

    private func parsed(_ row: String, _ shape: [Int]) throws -> Tensor {
        let numbers = try row.split(separator: ",", omittingEmptySubsequences: false).enumerated().map { place, cell in
            guard let number = Float(cell.trimmingCharacters(in: .whitespaces)), number.isFinite else {
                throw DataError("--row: '\(cell)' at place \(place + 1) is not a number")
            }
            return number
        }
        let count = shape.reduce(1, *)
        guard numbers.count == count else {
            throw DataError("--row has \(numbers.count) numbers, the model takes \(count)")
        }
        return Tensor(numbers, shape: Shape([1] + shape))
    }
}
