import ChainRule
import ChainRuleData
import ChainRuleNN
import Foundation

/// The architectures the command line knows.
public enum Architecture: String, Sendable, CaseIterable, Codable {
    case linear, mlp, convnet

    /// The model for inputs of `inputShape` (channels, height, width; or features) and a number of classes.
    ///
    /// - Throws: `ModelError` when the architecture can't take such inputs.
    public func makeModel(inputShape: [Int], classes: Int) throws -> Sequential {
        switch self {
        case .linear: return Classifiers.linear(inputs: inputShape.reduce(1, *), classes: classes)
        case .mlp: return Classifiers.mlp(inputs: inputShape.reduce(1, *), classes: classes)
        case .convnet:
            guard inputShape.count == 3 else {
                throw ModelError(
                    "the convnet needs images, these are rows of \(inputShape.reduce(1, *)) numbers; use mlp or linear")
            }
            let (channels, height, width) = (inputShape[0], inputShape[1], inputShape[2])
            guard
                let model = Classifiers.convnet(channels: channels, height: height, width: width, classes: classes)
            else { throw ModelError("the convnet needs images of 16×16 or more, these are \(height)×\(width)") }
            return model
        }
    }
}

/// A model that cannot be made, saved or loaded.
public struct ModelError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// A trained classifier with all that is needed to use it: the architecture, what its inputs look like and how they are scaled, the
/// names of the classes. One safetensors file.
public struct ModelFile {
    /// Everything but the weights.
    public struct Description: Codable, Sendable, Equatable {
        public var architecture: Architecture
        public var objective: Objective
        /// (channels, height, width), or (features).
        public var inputShape: [Int]
        public var classNames: [String]
        public var normalization: Normalization
        /// What it was trained on, in words.
        public var trainedOn: String

        public init(
            architecture: Architecture, objective: Objective, inputShape: [Int], classNames: [String],
            normalization: Normalization, trainedOn: String
        ) {
            self.architecture = architecture
            self.objective = objective
            self.inputShape = inputShape
            self.classNames = classNames
            self.normalization = normalization
            self.trainedOn = trainedOn
        }
    }

    public let description: Description
    public let model: any Layer
    private static let key = "chainrule"

    public init(description: Description, model: any Layer) {
        self.description = description
        self.model = model
    }

    /// Writes the file; the old one stays whole until the new one is.
    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = String(decoding: try encoder.encode(description), as: UTF8.self)
        let file = Safetensors(
            tensors: model.stateDictionary, metadata: ["format": "chainrule classifier 1", Self.key: text])
        try AtomicFile.write(try file.encoded(), to: path)
    }

    /// Reads a file that `write` made.
    public init(path: String) throws {
        let file = try Safetensors(decoding: InputFile.read(path), name: path)
        guard let text = file.metadata[Self.key] else {
            throw ModelError(
                "\(path) holds tensors but no chainrule model: it does not say which architecture they belong to")
        }
        guard let description = try? JSONDecoder().decode(Description.self, from: Data(text.utf8)) else {
            throw ModelError("\(path) was written by another version: its description of the model cannot be read")
        }
        self.description = description
        model = try description.architecture.makeModel(
            inputShape: description.inputShape, classes: description.classNames.count)
        do {
            try model.load(stateDictionary: file.tensors)
        } catch {
            throw ModelError("\(path) does not fit its own description: \(error)")
        }
        model.eval()
    }
}
