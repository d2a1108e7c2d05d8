import CZlib
import Foundation

/// The gzip format (RFC 1952), through zlib.
public enum Gzip {
    /// Whether `data` begins as a gzip file does.
    public static func isCompressed(_ data: Data) -> Bool { data.starts(with: magic) }

    private static let magic: [UInt8] = [0x1F, 0x8B]
    /// zlib's window of 2¹⁵ bytes, and 16 more to say that the stream has gzip's header and checksum.
    private static let windowBits: Int32 = 15 + 16

    /// The content of a gzip file, checked against its own checksum. Several members are joined, as gzip does.
    ///
    /// - Parameters:
    ///   - name: what errors call the file.
    ///   - limit: the most bytes the content may have: a few kilobytes can unpack to more than any memory.
    public static func decompress(_ data: Data, name: String, limit: Int = 1 << 33) throws -> Data {
        // zlib remembers where the stream's record lies, so the record must not move: it gets memory of its own.
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        guard inflateInit2_(stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw DataError("\(name) cannot be decompressed: zlib does not start")
        }
        defer { inflateEnd(stream) }
        var source = [UInt8](data)
        return try source.withUnsafeMutableBufferPointer { input in
            try decompress(input, stream, name: name, limit: limit)
        }
    }

    private static func decompress(
        _ input: UnsafeMutableBufferPointer<UInt8>, _ stream: UnsafeMutablePointer<z_stream>, name: String, limit: Int
    ) throws -> Data {
        var output = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var offset = 0  // how much of the input zlib was given
        while true {
            if stream.pointee.avail_in == 0 {
                // zlib counts in 32 bits.
                let size = min(input.count - offset, 1 << 30)
                stream.pointee.next_in = input.baseAddress.map { $0 + offset }
                stream.pointee.avail_in = UInt32(size)
                offset += size
            }
            let status = chunk.withUnsafeMutableBufferPointer { buffer in
                stream.pointee.next_out = buffer.baseAddress
                stream.pointee.avail_out = UInt32(buffer.count)
                return inflate(stream, Z_NO_FLUSH)
            }
            output.append(contentsOf: chunk.prefix(chunk.count - Int(stream.pointee.avail_out)))
            guard output.count <= limit else {
                throw DataError("\(name) unpacks to more than \(limit) bytes, which is more than is read")
            }
            let consumed = offset - Int(stream.pointee.avail_in)
            switch status {
            case Z_STREAM_END:
                if consumed == input.count { return output }
                guard input[consumed...].starts(with: magic) else {
                    throw DataError(
                        "\(name) has \(input.count - consumed) bytes after the end of its compressed data, at byte \(consumed)"
                    )
                }
                inflateReset(stream)
            case Z_OK where consumed < input.count || stream.pointee.avail_out == 0: break
            case Z_OK, Z_BUF_ERROR:
                throw DataError("\(name) is truncated: its compressed data end too early; fetch it again")
            default:
                throw DataError(
                    "\(name) is corrupt: its compressed data break at byte \(consumed) of \(input.count); fetch it again"
                )
            }
        }
    }

    /// `data` as a gzip file of one member, the same bytes for the same data: without a name and a date.
    public static func compress(_ data: Data) throws -> Data {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        defer { stream.deallocate() }
        guard
            deflateInit2_(
                stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { throw DataError("data cannot be compressed: zlib does not start") }
        defer { deflateEnd(stream) }
        var output = Data()
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        var source = [UInt8](data)
        try source.withUnsafeMutableBufferPointer { input in
            var offset = 0
            var status = Z_OK
            while status != Z_STREAM_END {
                if stream.pointee.avail_in == 0 {
                    let size = min(input.count - offset, 1 << 30)
                    stream.pointee.next_in = input.baseAddress.map { $0 + offset }
                    stream.pointee.avail_in = UInt32(size)
                    offset += size
                }
                status = chunk.withUnsafeMutableBufferPointer { buffer in
                    stream.pointee.next_out = buffer.baseAddress
                    stream.pointee.avail_out = UInt32(buffer.count)
                    return deflate(stream, offset == input.count ? Z_FINISH : Z_NO_FLUSH)
                }
                guard status == Z_OK || status == Z_STREAM_END else {
                    throw DataError("data cannot be compressed: zlib reports \(status)")
                }
                output.append(contentsOf: chunk.prefix(chunk.count - Int(stream.pointee.avail_out)))
            }
        }
        return output
    }
}
