import Foundation
import Testing

/// The four programs print PyTorch's numbers.
struct SeedsTests {
    /// The numbers of a line that begins with `prefix`, the last such line.
    private func numbers(_ output: String, after prefix: String) -> [Double] {
        let line = output.split(separator: "\n").last { $0.hasPrefix(prefix) } ?? ""
        return parsed(line.dropFirst(prefix.count))
    }

    private func parsed(_ text: some StringProtocol) -> [Double] {
        text.split { " [],:abcdefghijklmnopqrstuvwxyz".contains($0) && $0 != "e" }.compactMap { Double($0) }
    }

    private func isClose(_ a: [Double], _ b: [Double], _ tolerance: Double) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * max(abs($1), 1e-30) }
    }

    @Test func linear() throws {
        let output = try chainrule("seeds", "linear").output
        let gradients = output.split(separator: "\n").filter { $0.hasPrefix("\tgrad:") }.map { parsed($0.dropFirst(6)) }
        #expect(gradients.count == 300)
        let first = [
            -2.0, -7.840000152587891, -16.228801727294922, -1.478623867034912, -5.796205520629883, -11.998146057128906,
            -1.0931644439697266, -4.285204887390137, -8.870372772216797,
        ]
        #expect(isClose(gradients.prefix(9).map { $0[2] }, first, 1e-6))
        #expect(
            gradients.suffix(3).map { $0[2] } == [-7.152557373046875e-07, -2.86102294921875e-06, -5.7220458984375e-06])
        #expect(numbers(output, after: "predict (before training)") == [4, 4])
        #expect(isClose(numbers(output, after: "progress: 99"), [9.094947017729282e-13], 1e-6))
        #expect(isClose(numbers(output, after: "w:"), [1.9999996423721313], 1e-6))
        #expect(isClose(numbers(output, after: "predict (after training)"), [4, 7.999998569488525], 1e-6))
    }

    @Test func quadratic() throws {
        let output = try chainrule("seeds", "quadratic").output
        let gradients = output.split(separator: "\n").filter { $0.hasPrefix("\tgrad:") }.map { parsed($0.dropFirst(6)) }
        let first = [
            [2.0, 2.0, 2.0], [22.880001068115234, 11.440000534057617, 5.720000267028809],
            [77.04720306396484, 25.682401657104492, 8.560800552368164],
            [-1.1466078758239746, -1.1466078758239746, -1.1466078758239746],
            [-15.536651611328125, -7.7683258056640625, -3.8841629028320312],
            [-30.432214736938477, -10.144071578979492, -3.381357192993164],
        ]
        for (row, expected) in zip(gradients, first) { #expect(isClose(Array(row[2...]), expected, 1e-6)) }
        #expect(numbers(output, after: "predict (before training)") == [4, 21])
        #expect(isClose(numbers(output, after: "progress: 99"), [0.00631808303296566], 1e-6))
        let last = output.split(separator: "\n").last { $0.hasPrefix("w1:") } ?? ""
        let weights = last.split(separator: " ").compactMap { Double($0) }
        #expect(isClose(weights, [0.24038191139698029, 0.9266766309738159, 0.99135422706604], 1e-6))
        #expect(isClose(numbers(output, after: "predict (after training)"), [4, 8.544171333312988], 1e-6))
    }

    @Test func broadcast() throws {
        let output = try chainrule("seeds", "broadcast").output
        let expected: [(String, [Double])] = [
            ("loss:", [18202.099609375]),
            ("output[:4]:", [-58.58392333984375, -44.392677307128906, 51.36009979248047, -27.347126007080078]),
            (
                "input.grad[0,:4]:",
                [0.05598502606153488, -0.6769184470176697, -0.6874686479568481, -0.09543677419424057]
            ),
            ("input.grad.abs.sum:", [695540.4759731577]),
            ("w1.grad[0,:4]:", [-3.87778639793396, 0.10857941955327988, 6.307253837585449, -0.1325976848602295]),
            ("w1.grad.sum:", [1288.807834398467]), ("w1.grad.abs.sum:", [179872.88934340375]),
            ("b1.grad[:4]:", [96.38864135742188, -7.349320411682129, 129.05384826660156, 10.595924377441406]),
            ("w2.grad[:4]:", [2091.040283203125, 1189.632568359375, 2500.571533203125, 1602.0482177734375]),
            ("b2.grad:", [114.3487548828125]),
        ]
        for (title, values) in expected {
            let line = output.split(separator: "\n").first { $0.hasPrefix(title) } ?? ""
            let found = line.dropFirst(title.count).split { " [],".contains($0) }.compactMap { Double($0) }
            #expect(isClose(found, values, 1e-4), "\(title) \(found)")
        }
        #expect(!output.contains("DIFFERENT"))
        #expect(output.components(separatedBy: ": equal").count == 11)
    }

    @Test func classNLL() throws {
        let output = try chainrule("seeds", "classnll").output
        let lines = output.split(separator: "\n").map(String.init)
        let columns = lines.filter { $0.hasPrefix("  ") }.compactMap { Double($0.trimmingCharacters(in: .whitespaces)) }
        #expect(Array(columns.prefix(10)) == [0, 0, 0, 0, 0, 0, 0, 0, -1, 0])
        let losses = lines.filter { $0.hasPrefix("loss:") }.compactMap { Double($0.dropFirst(6)) }
        #expect(isClose(losses, [2.3449, 5.882159322000001], 1e-12))
        let squared = [
            -0.45598000000000005, -0.47276, -0.46365999999999996, -0.43910000000000005, -0.46754, -0.46868,
            -0.47480000000000006, -0.45282, -0.66898, -0.44428,
        ]
        #expect(isClose(Array(columns.suffix(10)), squared, 1e-12))
    }
}
