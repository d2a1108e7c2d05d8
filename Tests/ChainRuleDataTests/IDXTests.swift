import ChainRule
import ChainRuleData
import Foundation
import Testing

struct IDXTests {
    @Test(arguments: [DType.uint8, .int8, .int16, .int32, .float32, .float64])
    func roundTrip(_ dtype: DType) throws {
        let values = dtype == .uint8 ? [1.0, 2, 3, 255, 5, 6] : [1.0, -2, 3, -128, 5, 127]
        for shape: Shape in [[6], [2, 3], [1, 3, 2], [1, 2, 3, 1]] {
            let tensor = Tensor(values, shape: shape).to(dtype)
            let decoded = try IDX.decode(IDX.encode(tensor), name: "x")
            #expect(decoded.dtype == dtype)
            #expect(decoded.shape == shape)
            #expect(decoded.toArray(of: Double.self) == values)
        }
    }

    @Test func numbersAndEmptyTensors() throws {
        let number = try IDX.decode(Data([0, 0, 8, 0, 42]), name: "x")
        #expect(number.rank == 0 && number.toArray(of: UInt8.self) == [42])
        let empty = try IDX.decode(IDX.encode(.zeros([0, 3], dtype: .uint8)), name: "x")
        #expect(empty.shape == [0, 3])
    }

    @Test func elementsAreBigEndian() throws {
        let file = Data([0, 0, 0x0B, 1, 0, 0, 0, 2, 0x01, 0x02, 0xFF, 0xFE])
        #expect(try IDX.decode(file, name: "x").toArray(of: Int64.self) == [258, -2])
        #expect(try IDX.encode(Tensor([Int16(258), -2])) == file)
        let float = Data([0, 0, 0x0D, 1, 0, 0, 0, 1, 0xC0, 0x20, 0, 0])
        #expect(try IDX.decode(float, name: "x").toArray(of: Float.self) == [-2.5])
        #expect(try IDX.encode(Tensor([Float(-2.5)])) == float)
        let double = Data([0, 0, 0x0E, 1, 0, 0, 0, 1, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0])
        #expect(try IDX.decode(double, name: "x").toArray(of: Double.self) == [1.5])
    }

    @Test func everyTruncationIsAnError() throws {
        let file = try IDX.encode(Tensor([UInt8(1), 2, 3, 4], shape: [2, 2]))
        for length in 0..<file.count {
            let error = dataError { _ = try IDX.decode(file.prefix(length), name: "short.idx") }
            #expect(error?.hasPrefix("short.idx") == true, "length \(length)")
        }
        #expect(dataError { _ = try IDX.decode(file + [0], name: "long.idx") }?.contains("bytes to spare") == true)
    }

    @Test func everyTruncationOfAGzippedFileIsAnError() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/file.gz"
            try IDX.write(Tensor([UInt8(1), 2, 3, 4], shape: [2, 2]), to: path, gzipped: true)
            #expect(try IDX.read(path).toArray(of: UInt8.self) == [1, 2, 3, 4])
            let whole = try InputFile.read(path)
            for length in 0..<whole.count {
                try write(whole.prefix(length), to: path)
                #expect(dataError { _ = try IDX.read(path) }?.hasPrefix(path) == true, "length \(length)")
            }
        }
    }

    @Test func impossibleHeaders() {
        let cases: [(bytes: [UInt8], sentence: String)] = [
            ([0, 0, 0x07, 1, 0, 0, 0, 0], "no IDX file: it begins with 00 00 07 01"),
            ([0, 1, 0x08, 1, 0, 0, 0, 0], "no IDX file: it begins with 00 01 08 01"),
            ([0x89, 0x50, 0x4E, 0x47, 0x0D], "no IDX file: it begins with 89 50 4e 47"),
            ([0, 0, 8, 9] + [UInt8](repeating: 0, count: 40), "9 axes; at most 8"),
            ([0, 0, 0x0E, 3] + [UInt8](repeating: 0xFF, count: 12), "impossible"),
            ([0, 0, 0x08, 1, 0xFF, 0xFF, 0xFF, 0xFF, 1], "take 4294967295 bytes, there are 1"),
        ]
        for (bytes, sentence) in cases {
            let error = dataError { _ = try IDX.decode(Data(bytes), name: "x") }
            #expect(error?.contains(sentence) == true, "\(error ?? "nothing thrown")")
        }
    }

    @Test func missingFilesAndDirectories() throws {
        #expect(dataError { _ = try IDX.read("/nonexistent/file") }?.contains("does not exist") == true)
        try withTemporaryDirectory { path in
            #expect(dataError { _ = try IDX.read(path) }?.contains("is a directory") == true)
            try write([UInt8](), to: path + "/empty")
            #expect(dataError { _ = try IDX.read(path + "/empty") }?.contains("has only 0 bytes") == true)
        }
    }

    @Test func typesTheFormatLacks() throws {
        try withTemporaryDirectory { directory in
            let error = dataError { try IDX.write(Tensor([Int64(1)]), to: directory + "/file") }
            #expect(error?.contains("cannot hold int64") == true)
            #expect(fileNames(in: directory).isEmpty)
        }
    }
}
