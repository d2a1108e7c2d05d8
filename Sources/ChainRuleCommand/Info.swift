import ArgumentParser
import ChainRuleTraining

struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Says what is in a model file.")

    @Argument(help: "The model file that train wrote.")
    var model: String

    func run() throws {
        let file = try ModelFile(path: model)
        let about = file.description
        print("architecture  \(about.architecture.rawValue)")
        print("objective     \(about.objective.rawValue)")
        print("trained on    \(about.trainedOn)")
        print("input         \(about.inputShape.map(String.init).joined(separator: " × "))")
        print("classes       \(about.classNames.count): \(about.classNames.joined(separator: ", "))")
        print("parameters    \(file.model.parameterCount)")
        print("")
        print(file.model)
        print("")
        let state = file.model.stateDictionary
        let width = state.keys.map(\.count).max() ?? 0
        for (name, tensor) in state.sorted(by: { $0.key < $1.key }) {
            print(name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + "\(tensor.dtype) \(tensor.shape)")
        }
    }
}
