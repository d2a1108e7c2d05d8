import ChainRule
import ChainRuleData
import Foundation
import Testing

struct ImageDataTests {
    private func load(_ directory: String) throws -> ClassificationData {
        try ClassificationData(imageDirectory: directory)
    }

    /// The error after a tiny data set was written and changed.
    private func error(after change: (String) throws -> Void) throws -> String {
        try withTemporaryDirectory { directory in
            try writeTinyImages(to: directory)
            try change(directory)
            return dataError { _ = try load(directory) } ?? "nothing thrown"
        }
    }

    private func move(_ old: String, _ new: String) throws {
        try FileManager.default.moveItem(atPath: old, toPath: new)
    }

    @Test(arguments: [false, true])
    func directories(_ gzipped: Bool) throws {
        try withTemporaryDirectory { path in
            try writeTinyImages(to: path, gzipped: gzipped)
            let data = try load(path)
            #expect(data.inputShape == [1, 4, 4])
            #expect(data.classNames == ["0", "1", "2"])
            #expect(data.train.targets.toArray(of: Int64.self) == [0, 1, 2, 0, 1, 2])
            #expect(data.train.targets.dtype == .int64 && data.train.inputs.dtype == .float32)
            #expect(data.test.inputs.toArray(of: Float.self).last == Float(2) / 255)
            #expect(data.name == URL(fileURLWithPath: path).lastPathComponent)
        }
    }

    @Test func otherNamings() throws {
        try withTemporaryDirectory { path in
            try writeTinyImages(to: path)
            try move(path + "/train-images-idx3-ubyte", path + "/train-images.idx3-ubyte")
            try move(path + "/t10k-images-idx3-ubyte", path + "/test-images-idx3-ubyte")
            try move(path + "/t10k-labels-idx1-ubyte", path + "/qmnist-test-labels-idx1-ubyte")
            try write("notes", to: path + "/README")
            #expect(try load(path).test.count == 3)
            // The same file unpacked beside its archive.
            let labels = try InputFile.read(path + "/train-labels-idx1-ubyte")
            try write(Gzip.compress(labels), to: path + "/train-labels-idx1-ubyte.gz")
            #expect(try load(path).train.count == 6)
        }
    }

    @Test func channelsAndOtherElements() throws {
        try withTemporaryDirectory { path in
            try writeTinyImages(to: path)
            let values = (0..<36).map { Float($0) - 0.5 }
            try IDX.write(Tensor(values, shape: [6, 3, 1, 2]), to: path + "/train-images-idx4-ubyte")
            try IDX.write(Tensor(Array(values.prefix(18)), shape: [3, 3, 1, 2]), to: path + "/t10k-images-idx3-ubyte")
            try FileManager.default.removeItem(atPath: path + "/train-images-idx3-ubyte")
            try IDX.write(Tensor([Int32(0), 1, 2, 3, 300, 5]), to: path + "/train-labels-idx1-ubyte")
            let data = try load(path)
            #expect(data.inputShape == [3, 1, 2])
            #expect(data.train.inputs.toArray(of: Float.self) == values)
            #expect(data.classNames.count == 301)
        }
    }

    @Test func filesThatDoNotBelongTogether() throws {
        #expect(
            try error { try IDX.write(Tensor([UInt8(0), 1]), to: $0 + "/train-labels-idx1-ubyte") }
                .contains("2 labels for the 6 images"))
        #expect(
            try error {
                try IDX.write(
                    Tensor([UInt8](repeating: 0, count: 12), shape: [3, 2, 2]), to: $0 + "/t10k-images-idx3-ubyte")
            }.contains("the training images are 1×4×4, the test images 1×2×2"))
    }

    @Test func mislabelledFiles() throws {
        #expect(
            try error {
                try move($0 + "/train-images-idx3-ubyte", $0 + "/kept")
                try FileManager.default.copyItem(
                    atPath: $0 + "/train-labels-idx1-ubyte", toPath: $0 + "/train-images-idx3-ubyte")
            }.contains("train-images-idx3-ubyte holds no images: its shape is [6]"))
        #expect(
            try error {
                try FileManager.default.removeItem(atPath: $0 + "/train-labels-idx1-ubyte")
                try FileManager.default.copyItem(
                    atPath: $0 + "/train-images-idx3-ubyte", toPath: $0 + "/train-labels-idx1-ubyte")
            }.contains("is it an images file under a wrong name?"))
        #expect(
            try error { try IDX.write(Tensor([Float](repeating: 0, count: 6)), to: $0 + "/train-labels-idx1-ubyte") }
                .contains("holds no labels: it has float32 elements"))
    }

    @Test func labelsOutOfRange() throws {
        #expect(
            try error { try IDX.write(Tensor([Int8(0), 1, 2, -1, 1, 2]), to: $0 + "/train-labels-idx1-ubyte") }
                .contains("label -1 of item 3 is out of range"))
        #expect(
            try error { try IDX.write(Tensor([UInt8(0), 3, 1]), to: $0 + "/t10k-labels-idx1-ubyte") }
                .contains("label 3 of item 1 is out of range: the training labels end at 2"))
        #expect(
            try error {
                try IDX.write(Tensor([Int32(0), 1, 2, 2_000_000_000, 1, 2]), to: $0 + "/train-labels-idx1-ubyte")
            }.contains("label 2000000000 of item 3 is out of range"))
    }

    @Test func brokenImages() throws {
        #expect(
            try error { try IDX.write(.zeros([0, 4, 4], dtype: .uint8), to: $0 + "/train-images-idx3-ubyte") }
                .contains("holds no images: its shape is [0, 4, 4]"))
        #expect(
            try error {
                var pixels = [Float](repeating: 0, count: 96)
                pixels[40] = .nan
                try IDX.write(Tensor(pixels, shape: [6, 4, 4]), to: $0 + "/train-images-idx3-ubyte")
            }.contains("a pixel of nan in image 2"))
        #expect(
            try error { directory in
                let path = directory + "/t10k-images-idx3-ubyte"
                try write(InputFile.read(path).dropLast(), to: path)
            }.contains("t10k-images-idx3-ubyte is truncated"))
    }

    @Test func missingAndDoubleFiles() throws {
        try withTemporaryDirectory { path in
            #expect(
                dataError { _ = try load(path) }
                    == "\(path) has no training images: train-images-idx3-ubyte is needed, plain or with .gz")
            #expect(dataError { _ = try load(path + "/no") }?.contains("does not exist") == true)
            try write("", to: path + "/file")
            #expect(dataError { _ = try load(path + "/file") }?.contains("is no directory") == true)
        }
        #expect(
            try error { try FileManager.default.removeItem(atPath: $0 + "/t10k-labels-idx1-ubyte") }
                .contains("has no test labels: t10k-labels-idx1-ubyte is needed"))
        #expect(
            try error { try write("", to: $0 + "/test-images-idx3-ubyte") }
                .contains("two files of test images: t10k-images-idx3-ubyte and test-images-idx3-ubyte"))
    }
}
