import Foundation
import Testing

struct TrainTests {
    /// A table of two classes that a line separates.
    private let table: String = (0..<200).map { index in
        let x = Double(index * 37 % 100) / 100
        let y = Double(index * 53 % 100) / 100
        return "\(x),\(y),\(x + y > 1 ? "above" : "below")\n"
    }.joined()

    private func withTable<Result>(_ body: (_ table: String, _ out: String) throws -> Result) throws -> Result {
        try withTemporaryPath { path in
            try Data(table.utf8).write(to: URL(fileURLWithPath: path))
            return try withTemporaryPath { try body(path, $0) }
        }
    }

    /// The accuracy in `test accuracy 0.9912  loss 0.0284  seconds 31.2`, or nil when the line has another form.
    private func accuracy(_ line: String) -> Double? {
        guard let match = line.wholeMatch(of: /test accuracy (\d\.\d{4})  loss \d+\.\d{4}  seconds \d+\.\d/) else {
            return nil
        }
        return Double(match.1)
    }

    @Test func trainEvaluatePredictInfo() throws {
        try withTable { table, out in
            let trained = try chainrule(
                "train", "--data", table, "--model", "mlp", "--optimizer", "adam", "--learning-rate", "0.01",
                "--epochs", "20", "--batch-size", "16", "--out", out)
            #expect(trained.status == 0, "\(trained.errors)")
            let result = try #require(accuracy(trained.lastLine), "\(trained.lastLine)")
            #expect(result > 0.9)
            #expect(
                Set(try FileManager.default.contentsOfDirectory(atPath: out)) == [
                    "model.safetensors", "log.csv", "log.jsonl", "config.json",
                ])
            let log = try String(contentsOfFile: out + "/log.csv", encoding: .utf8)
            #expect(log.split(separator: "\n").count == 21)

            let model = out + "/model.safetensors"
            let evaluated = try chainrule("evaluate", model, "--data", table)
            #expect(accuracy(evaluated.lastLine) == result)
            #expect(try chainrule("predict", model, "--row", "0.9,0.95").output.hasPrefix("class above"))
            #expect(try chainrule("predict", model, "--row", "0.1,0.05").output.hasPrefix("class below"))
            #expect(try chainrule("predict", model, "--data", table, "--index", "3").output.contains("truth "))
            #expect(try chainrule("info", model).output.contains("architecture  mlp"))
        }
    }

    /// Everything but the times.
    private func model(_ arguments: [String], in table: String) throws -> Data {
        try withTemporaryPath { out in
            let process = try chainrule(
                "train", "--data", table, "--epochs", "2", "--out", out, "--seed", arguments[0], "--threads",
                arguments[1])
            #expect(process.status == 0, "\(process.errors)")
            return try Data(contentsOf: URL(fileURLWithPath: out + "/model.safetensors"))
        }
    }

    @Test func equalSeedsGiveEqualModelsOnAnyNumberOfThreads() throws {
        try withTable { table, _ in
            let first = try model(["5", "1"], in: table)
            #expect(try model(["5", "1"], in: table) == first)
            #expect(try model(["5", "2"], in: table) == first)
            #expect(try model(["6", "1"], in: table) != first)
        }
    }

    @Test(arguments: ["nll", "mse", "margin"], ["sgd", "adamw"])
    func everyLossAndOptimizer(_ loss: String, _ optimizer: String) throws {
        try withTable { table, _ in
            let run = try chainrule(
                "train", "--data", table, "--model", "linear", "--loss", loss, "--optimizer", optimizer, "--epochs",
                "30", "--learning-rate", "0.02")
            #expect(run.status == 0)
            #expect(try #require(accuracy(run.lastLine)) > 0.8)
        }
    }

    @Test func aRunThatDivergesHasALog() throws {
        try withTable { table, out in
            let run = try chainrule(
                "train", "--data", table, "--epochs", "1", "--learning-rate", "1e30", "--out", out)
            #expect(run.status == 0 && run.lastLine.contains("loss nan"), "\(run.lastLine) \(run.errors)")
            let log = try String(contentsOfFile: out + "/log.jsonl", encoding: .utf8)
            #expect(log.contains(#""testLoss":"nan""#), "\(log)")
        }
    }

    @Test func badInputIsOneLineAndStatus1() throws {
        try withTable { table, out in
            try FileManager.default.createDirectory(atPath: out, withIntermediateDirectories: true)
            let bad: [[String]] = [
                ["train", "--data", "/nonexistent.csv"], ["train", "--data", out],
                ["train", "--data", table, "--out", out],
                ["train", "--data", table, "--model", "convnet"],
                ["train", "--data", table, "--out", "/proc/nowhere/run"],
                ["evaluate", "/nonexistent.safetensors", "--data", table], ["info", table],
            ]
            for arguments in bad {
                let run = try chainrule(arguments)
                #expect(run.status == 1, "\(arguments)")
                #expect(run.errors.split(separator: "\n").count == 1, "\(run.errors)")
                #expect(run.errors.hasPrefix("chainrule: error: "), "\(run.errors)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: out).isEmpty)
        }
    }

    @Test func badUsageIsStatus64() throws {
        let bad: [[String]] = [
            ["train"], ["train", "--data", "digits", "--epochs", "0"],
            ["train", "--data", "digits", "--model", "transformer"],
            ["train", "--data", "digits", "--learning-rate", "-1"], ["predict", "x"], ["nonsense"],
        ]
        for arguments in bad { #expect(try chainrule(arguments).status == 64, "\(arguments)") }
        #expect(try chainrule("--help").status == 0)
    }
}
