import ChainRule
import ChainRuleData
import Foundation
import Testing

struct PGMTests {
    @Test func portableGraymaps() throws {
        try withTemporaryDirectory { directory in
            let text = directory + "/text.pgm"
            try write("P2 # comment\n2 2\n10\n0 5\n10 1\n", to: text)
            #expect(try PGM.read(text, shape: [1, 2, 2]).toArray(of: Float.self) == [0, 0.5, 1, 0.1])
            let binary = directory + "/binary.pgm"
            try write(Data("P5 2 1 255\n".utf8) + Data([255, 0]), to: binary)
            #expect(try PGM.read(binary, shape: [2]).shape == [1, 2])
            #expect(dataError { _ = try PGM.read(binary, shape: [1, 28, 28]) }?.contains("2×1 pixels") == true)
            try write("P5 2 2 255\n", to: binary)
            #expect(dataError { _ = try PGM.read(binary, shape: [1, 2, 2]) }?.contains("truncated") == true)
        }
    }
}
