import ChainRule
import ChainRuleData
import Foundation
import Testing

struct SafetensorsTests {
    private let file = Safetensors(
        tensors: [
            "a": Tensor([Float(1), 2, 3, 4], shape: [2, 2]), "b": Tensor([Int64(-1)]),
            "half": Tensor.ones([3], dtype: .float16),
            "empty": Tensor.zeros([0, 2]), "number": Tensor(2.5),
        ], metadata: ["made by": "a test"])

    @Test func roundTrip() throws {
        let decoded = try Safetensors(decoding: file.encoded(), name: "x")
        #expect(decoded.metadata == file.metadata)
        #expect(Set(decoded.tensors.keys) == Set(file.tensors.keys))
        for (name, tensor) in file.tensors {
            #expect(decoded.tensors[name]?.dtype == tensor.dtype)
            #expect(decoded.tensors[name]?.shape == tensor.shape)
            #expect(decoded.tensors[name]?.toArray(of: Double.self) == tensor.toArray(of: Double.self))
        }
    }

    @Test func equalContentsGiveEqualBytes() throws { #expect(try file.encoded() == file.encoded()) }

    @Test func everyTruncationIsAnError() throws {
        let bytes = try file.encoded()
        for length in 0..<bytes.count {
            #expect(
                dataError { _ = try Safetensors(decoding: bytes.prefix(length), name: "short") }?.hasPrefix("short")
                    == true)
        }
    }

    /// The bytes of such a shape, counted in 64 bits, are none.
    @Test func shapesLargerThanAnyMemory() {
        let table = Data(#"{"a":{"dtype":"F32","shape":[1073741824,1073741824,16],"data_offsets":[0,0]}}"#.utf8)
        let length = Data((0..<8).map { UInt8(table.count >> (8 * $0) & 255) })
        #expect(
            dataError { _ = try Safetensors(decoding: length + table, name: "x") }?.contains("impossible shape") == true
        )
    }

    @Test func nonsense() {
        #expect(dataError { _ = try Safetensors(decoding: Data(repeating: 0xFF, count: 100), name: "x") } != nil)
        #expect(
            dataError { _ = try Safetensors(decoding: Data([2, 0, 0, 0, 0, 0, 0, 0]) + Data("[]".utf8), name: "x") }?
                .contains("JSON object") == true)
    }
}
