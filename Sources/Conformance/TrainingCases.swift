import ArgumentParser
import ChainRule
import ChainRuleNN
import Foundation

struct TrainingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "training", abstract: "Runs the cases of optimisers and of learning-rate schedules.")

    @OptionGroup var options: CaseOptions

    func run() throws {
        let cases = TrainingCases()
        var report = Report()
        for file in try options.files(of: "training") {
            report.add(try cases.run(file, only: options.only))
        }
        try options.finish(report)
    }
}

/// Runs the cases of optimisers and schedules.
struct TrainingCases: Sendable {
    private let table = TrainingTable()

    /// Runs the cases of one file: optimisers where its first line is the problem they solve, else schedules.
    ///
    /// - Parameter only: the name of an optimiser, a schedule or a file; nil runs all.
    func run(_ file: URL, only: String? = nil) throws -> Report {
        var report = Report()
        var problem: Regression?
        for (index, json) in try JSON.lines(of: file).enumerated() {
            if json["problem"] != nil {
                problem = try Regression(json)
                continue
            }
            guard let name = json["optimizer"]?.string ?? json["schedule"]?.string else {
                throw MalformedCase("\(stem(file)): a case without optimizer or schedule")
            }
            guard only == nil || only == name || only == stem(file) else { continue }
            let outcome = Outcome {
                var reader = CaseReader()
                let named = try reader.arguments(json).named
                if json["schedule"] != nil { return try scheduleProblem(name, named, json) }
                guard let problem else { throw MalformedCase("\(stem(file)): the problem is missing") }
                return try optimizerProblem(name, named, json, problem)
            }
            report.add(outcome, name: name, label: "\(stem(file)) case \(index + 1)")
        }
        return report
    }

    private func optimizerProblem(
        _ name: String, _ named: [(key: String, value: ArgumentValue)], _ json: JSON, _ problem: Regression
    ) throws -> String? {
        guard let entry = table.optimizers[name] else { throw Unsupported("no optimiser") }
        guard let losses = json["losses"]?.elements, let ws = json["w"]?.elements, let bs = json["b"]?.elements else {
            throw MalformedCase("an optimiser needs losses, w and b")
        }
        let arguments = try CaseArguments(entry.parameters, positional: [], named: named)
        let make = { (parameters: [Tensor]) in try entry.call(parameters, arguments) }
        let trajectory = try problem.trajectory(steps: losses.count, optimizer: make)
        for (step, state) in trajectory.enumerated() {
            for (part, expected) in [losses[step], ws[step], bs[step]].enumerated() {
                let numbers = (expected.elements ?? [expected]).compactMap(\.double)
                let tensor = Tensor(numbers, shape: state[part].shape)
                guard let what = difference(state[part], from: tensor) else { continue }
                let distance = (state[part] - tensor).abs().max().item()
                let moved = try problem.sensitivity(of: part, step: step, in: trajectory, optimizer: make)
                let cause = moved * 10 > distance ? "; \(Self.roundingDecides), it moves by \(moved)" : ""
                return "step \(step + 1): \(["loss", "w", "b"][part]) \(what)\(cause)"
            }
        }
        return nil
    }

    /// What is said of a case whose numbers no two programs could agree on.
    static let roundingDecides = "rounding decides this: from weights one unit in the last place away"

    private func scheduleProblem(
        _ name: String, _ named: [(key: String, value: ArgumentValue)], _ json: JSON
    ) throws -> String? {
        guard let entry = table.schedules[name] else { throw Unsupported("no schedule") }
        guard let initial = json["initial_lr"]?.double, let rates = json["lrs"]?.elements?.compactMap(\.double) else {
            throw MalformedCase("a schedule needs initial_lr and lrs")
        }
        let metrics = json["metrics"]?.elements?.compactMap(\.double)
        let optimizer = SGD([], learningRate: initial, momentum: 0.9)
        let step = try entry.call(optimizer, CaseArguments(entry.parameters, positional: [], named: named))
        var found = [optimizer.learningRate]
        for index in rates.indices.dropLast() {
            step(metrics?[index] ?? 0)
            found.append(optimizer.learningRate)
        }
        return difference(Tensor(found), from: Tensor(rates)).map { "the learning rate \($0)" }
    }
}

/// The problem the optimisers solve: the mean of (tanh(x w + b) − y)².
private struct Regression {
    let x, y, w, b: Tensor

    init(_ json: JSON) throws {
        func tensor(_ key: String) throws -> Tensor {
            guard let value = json[key] else { throw MalformedCase("the problem needs '\(key)'") }
            return try CaseReader.tensor(value)
        }
        (x, y, w, b) = (try tensor("x"), try tensor("y"), try tensor("w"), try tensor("b"))
    }

    /// Loss, w and b of each step. The weights begin at `scale` times the problem's.
    func trajectory(
        steps: Int, scale: Double = 1, optimizer make: ([Tensor]) throws -> any Optimizer
    ) rethrows -> [[Tensor]] {
        let (w, b) = ((self.w * scale).requiringGrad(), self.b.requiringGrad())
        let optimizer = try make([w, b])
        return (0..<steps).map { _ in
            let loss = optimizer.step {
                optimizer.zeroGrad()
                let loss = ((x.matmul(w) + b).tanh() - y).squared().mean()
                loss.backward()
                return loss
            }
            return [loss.detach(), w.detach(), b.detach()]
        }
    }

    /// How far a part of the state after a step moves when the weights begin one unit in the last place away.
    func sensitivity(
        of part: Int, step: Int, in trajectory: [[Tensor]], optimizer make: ([Tensor]) throws -> any Optimizer
    ) rethrows -> Double {
        try [-0x1p-52, -0x1p-53, 0x1p-52, 0x1p-51].map { disturbance in
            let disturbed = try self.trajectory(steps: step + 1, scale: 1 + disturbance, optimizer: make)
            return (disturbed[step][part] - trajectory[step][part]).abs().max().item()
        }.max() ?? 0
    }
}
