import ChainRule
import Foundation

/// The IDX format of MNIST: two zero bytes, a type, the number of axes, their sizes as big-endian 32-bit numbers, the elements
/// big-endian and row-major. Plain or gzipped; which one is read off the first bytes, not the name.
public enum IDX {
    /// Type codes, and the dtype whose elements they are.
    private static let types: [(code: UInt8, dtype: DType)] = [
        (0x08, .uint8), (0x09, .int8), (0x0B, .int16), (0x0C, .int32), (0x0D, .float32), (0x0E, .float64),
    ]

    public static func read(_ path: String) throws -> Tensor {
        try decode(InputFile.readDecompressed(path), name: path)
    }

    /// Writes a file that `read` reads. The tensor needs one of the format's types: uint8, int8, int16, int32, float32, float64.
    public static func write(_ tensor: Tensor, to path: String, gzipped: Bool = false) throws {
        let file = try encode(tensor)
        try AtomicFile.write(gzipped ? Gzip.compress(file) : file, to: path)
    }

    /// - Parameter name: what errors call the data.
    public static func decode(_ data: Data, name: String) throws -> Tensor {
        let bytes = [UInt8](data)
        let (dtype, sizes) = try header(bytes, name: name)
        let headerSize = 4 + 4 * sizes.count
        var expected = dtype.byteCount
        for size in sizes {
            let product = expected.multipliedReportingOverflow(by: size)
            guard !product.overflow else { throw DataError("\(name) is corrupt: its sizes \(sizes) are impossible") }
            expected = product.partialValue
        }
        let present = bytes.count - headerSize
        guard present == expected else {
            let fault = present < expected ? "is truncated" : "has bytes to spare"
            throw DataError(
                "\(name) \(fault): its \(dtype) elements of shape \(sizes) take \(expected) bytes, there are \(present)"
            )
        }
        let elements = bytes[headerSize...]
        let shape = Shape(sizes)
        return switch dtype {
        case .uint8: Tensor([UInt8](elements), shape: shape)
        case .int8: Tensor(elements.map { Int8(bitPattern: $0) }, shape: shape)
        case .int16: Tensor(bigEndian(elements, as: Int16.self), shape: shape)
        case .int32: Tensor(bigEndian(elements, as: Int32.self), shape: shape)
        case .float32: Tensor(bigEndian(elements, as: UInt32.self).map(Float.init(bitPattern:)), shape: shape)
        default: Tensor(bigEndian(elements, as: UInt64.self).map(Double.init(bitPattern:)), shape: shape)
        }
    }

    private static func header(_ bytes: [UInt8], name: String) throws -> (dtype: DType, sizes: [Int]) {
        guard bytes.count >= 4 else {
            throw DataError("\(name) is no IDX file: it has only \(bytes.count) bytes, the header alone takes more")
        }
        guard bytes[0] == 0, bytes[1] == 0, let type = types.first(where: { $0.code == bytes[2] }) else {
            let start = bytes.prefix(4).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            throw DataError(
                "\(name) is no IDX file: it begins with \(start.joined(separator: " ")) instead of 00 00, a type and a number of axes"
            )
        }
        let rank = Int(bytes[3])
        guard rank <= Shape.maximumRank else {
            throw DataError("\(name) has \(rank) axes; at most \(Shape.maximumRank) can be read")
        }
        guard bytes.count >= 4 + 4 * rank else {
            throw DataError("\(name) is truncated: its header ends at byte \(bytes.count) of \(4 + 4 * rank)")
        }
        return (type.dtype, bigEndian(bytes[4..<(4 + 4 * rank)], as: UInt32.self).map(Int.init))
    }

    /// The bytes of an IDX file.
    public static func encode(_ tensor: Tensor) throws -> Data {
        guard let code = types.first(where: { $0.dtype == tensor.dtype })?.code else {
            throw DataError(
                "an IDX file cannot hold \(tensor.dtype); its types are \(types.map(\.dtype.description).joined(separator: ", "))"
            )
        }
        guard tensor.shape.allSatisfy({ $0 <= Int(UInt32.max) }) else {
            throw DataError("an IDX file cannot hold shape \(tensor.shape): its sizes have 32 bits")
        }
        let start: [UInt8] = [0, 0, code, UInt8(tensor.rank)]
        return Data(start + bigEndianBytes(tensor.shape.map { UInt32($0) }) + elementBytes(tensor))
    }

    private static func elementBytes(_ tensor: Tensor) -> [UInt8] {
        switch tensor.dtype {
        case .uint8: tensor.toArray(of: UInt8.self)
        case .int8: tensor.toArray(of: Int8.self).map { UInt8(bitPattern: $0) }
        case .int16: bigEndianBytes(tensor.toArray(of: Int16.self))
        case .int32: bigEndianBytes(tensor.toArray(of: Int32.self))
        case .float32: bigEndianBytes(tensor.toArray(of: Float.self).map(\.bitPattern))
        default: bigEndianBytes(tensor.toArray(of: Double.self).map(\.bitPattern))
        }
    }

    private static func bigEndian<Number: FixedWidthInteger>(_ bytes: ArraySlice<UInt8>, as: Number.Type) -> [Number] {
        let width = MemoryLayout<Number>.size
        return bytes.withUnsafeBytes { buffer in
            stride(from: 0, to: buffer.count, by: width).map {
                Number(bigEndian: buffer.loadUnaligned(fromByteOffset: $0, as: Number.self))
            }
        }
    }

    private static func bigEndianBytes<Number: FixedWidthInteger>(_ numbers: [Number]) -> [UInt8] {
        numbers.map(\.bigEndian).withUnsafeBytes { [UInt8]($0) }
    }
}
