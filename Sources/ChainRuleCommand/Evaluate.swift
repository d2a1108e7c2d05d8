import ArgumentParser
import ChainRule
import ChainRuleData
import ChainRuleTraining

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Tests a trained model on the test part of a data set.")

    @Argument(help: "The model file that train wrote.")
    var model: String

    @OptionGroup var source: DataOptions

    @Option(help: "The seed the data were drawn or split with.")
    var seed: UInt64 = 0

    func run() throws {
        let file = try ModelFile(path: model)
        let data = try source.load(seed: seed)
        try file.check(data)
        let test = DataLoader(data.normalized(by: file.description.normalization).test, batchSize: 256)
        let clock = ContinuousClock()
        let start = clock.now
        let result = Evaluation.run(
            file.model, file.description.objective, on: test, classNames: file.description.classNames)
        printResult(result, seconds: (clock.now - start).seconds)
    }
}

extension ModelFile {
    /// Checks that data can be given to the model.
    func check(_ data: ClassificationData) throws {
        guard data.inputShape == description.inputShape else {
            throw ModelError(
                "the model takes inputs of shape \(description.inputShape), \(data.name) has \(data.inputShape)")
        }
        guard data.classNames.count <= description.classNames.count else {
            throw ModelError(
                "the model knows \(description.classNames.count) classes, \(data.name) has \(data.classNames.count)")
        }
    }
}
