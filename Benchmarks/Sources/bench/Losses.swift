import ChainRule
import ChainRuleNN
import Foundation

/// Trains the networks with the seeds of a file and compares what it says PyTorch's losses were.
struct Losses {
    private let modelSeed, dataSeed: UInt64
    private let expected: [String: [Double]]

    /// A file that doesn't say what losses are expected.
    struct FormatError: Error, CustomStringConvertible {
        let description: String
    }

    init(file: String) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: file))
        guard let entries = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            let modelSeed = entries["model_seed"] as? Int, let dataSeed = entries["data_seed"] as? Int
        else { throw FormatError(description: "\(file): expected an object with model_seed and data_seed") }
        (self.modelSeed, self.dataSeed) = (UInt64(bitPattern: Int64(modelSeed)), UInt64(bitPattern: Int64(dataSeed)))
        expected = entries.compactMapValues { ($0 as? [String: Any])?["losses"] as? [Double] }
        for name in expected.keys where !networks.contains(where: { $0.key == name }) {
            throw FormatError(description: "\(file): there is no network '\(name)'")
        }
    }

    /// Prints a line for each comparison and the totals. The answer is whether all agreed.
    func run(_ mode: Mode) -> Bool {
        var (passed, failed) = (0, 0)
        for mode in mode.single { compare(mode, &passed, &failed) }
        print("\(passed) passed, \(failed) failed")
        return failed == 0
    }

    private func compare(_ mode: Mode, _ passed: inout Int, _ failed: inout Int) {
        for (name, make) in networks {
            guard let theirs = expected[name], !theirs.isEmpty else { continue }
            let ours = train(make, mode, steps: theirs.count)
            for check in checks(name, count: theirs.count) {
                let (value, reference) = (ours[check.step], theirs[check.step])
                let difference = abs(value - reference) / max(abs(reference), .leastNormalMagnitude)
                let agrees = difference <= check.tolerance
                (passed, failed) = agrees ? (passed + 1, failed) : (passed, failed + 1)
                let columns =
                    (agrees ? "passed  " : "FAILED  ") + name.padding(toLength: 12, withPad: " ", startingAt: 0)
                    + mode.rawValue.padding(toLength: 9, withPad: " ", startingAt: 0)
                print(
                    String(
                        format: "%@ loss %2d: %.8g, PyTorch %.8g, relative difference %.1e (at most %.0e)", columns,
                        check.step + 1, value, reference, difference, check.tolerance))
            }
        }
    }

    /// The first loss proves weights, data and forward; the tenth gradients and optimiser. Rounding grows from step to step, fastest where batch
    /// norms amplify it.
    private func checks(_ name: String, count: Int) -> [(step: Int, tolerance: Double)] {
        [(0, 1e-5), (9, name == "resnet18" ? 1e-2 : 1e-3)].filter { $0.0 < count }
    }

    private func train(_ make: (Scale) -> Network, _ mode: Mode, steps: Int) -> [Double] {
        manualSeed(modelSeed)
        let network = make(Scale())
        manualSeed(dataSeed)
        let x = network.input()
        let y = network.target()
        let optimizer = network.optimizer(network.model.parameters)
        let step = mode.prepared { network.step(optimizer, $0, $1) }
        return (0..<steps).map { _ in step(x, y).item() }
    }
}
