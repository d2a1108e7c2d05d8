import ChainRule
import Foundation

extension ClassificationData {
    /// A directory of four IDX files in MNIST's naming, plain or gzipped: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and the
    /// same with `t10k-` (or `test-`); `.idx3-ubyte` and a prefix of the data set's own (`emnist-letters-train-images-idx3-ubyte`)
    /// are known too.
    ///
    /// Images of any size, shape (N, height, width) or (N, channels, height, width), any number of classes. The inputs are float32 (N,
    /// channels, height, width); uint8 pixels are scaled to 0 ... 1, others are taken as they are.
    ///
    /// - Throws: `DataError` that names the file.
    public init(imageDirectory path: String, name: String? = nil) throws {
        let directory = try ImageDirectory(path)
        let train = try LabeledFiles(directory, .train)
        let test = try LabeledFiles(directory, .test)
        guard train.imageShape == test.imageShape else {
            throw DataError(
                "\(path): the training images are \(Self.size(train.imageShape)), the test images \(Self.size(test.imageShape)); they must agree"
            )
        }
        let classes = Int(train.labels.max() ?? 0) + 1
        if let stray = test.labels.firstIndex(where: { $0 >= classes }) {
            throw DataError(
                "\(test.labelsPath): label \(test.labels[stray]) of item \(stray) is out of range: the training labels end at \(classes - 1)"
            )
        }
        self.init(
            train: train.data, test: test.data, classNames: (0..<classes).map(String.init),
            name: name ?? URL(fileURLWithPath: path).lastPathComponent)
    }

    fileprivate static func size(_ shape: some Sequence<Int>) -> String {
        shape.map(String.init).joined(separator: "×")
    }
}

/// Images and their labels as two files hold them.
private struct LabeledFiles {
    let images: Tensor
    let labels: [Int64]
    let labelsPath: String

    /// (channels, height, width).
    var imageShape: [Int] { images.rank == 3 ? [1] + images.shape.dropFirst() : Array(images.shape.dropFirst()) }

    /// How many classes there may be: a network has an output for each.
    private static let mostClasses = 65_536

    init(_ directory: ImageDirectory, _ part: ImageDirectory.Part) throws {
        let imagesPath = try directory.path(of: part, .images)
        labelsPath = try directory.path(of: part, .labels)
        images = try Self.readImages(imagesPath)
        labels = try Self.readLabels(labelsPath)
        guard labels.count == images.shape[0] else {
            throw DataError(
                "\(labelsPath) has \(labels.count) labels for the \(images.shape[0]) images of \(imagesPath); they must belong together"
            )
        }
    }

    var data: LabeledData {
        let pixels = images.dtype == .uint8 ? images.to(.float32) / 255 : images.to(.float32)
        return LabeledData(inputs: pixels.reshape(Shape([labels.count] + imageShape)), targets: Tensor(labels))
    }

    private static func readImages(_ path: String) throws -> Tensor {
        let images = try IDX.read(path)
        guard images.rank == 3 || images.rank == 4 else {
            let advice = images.rank == 1 ? "; is it a labels file under a wrong name?" : ""
            throw DataError(
                "\(path) holds no images: its shape is \(images.shape), (images, height, width) is needed\(advice)")
        }
        guard images.count > 0 else { throw DataError("\(path) holds no images: its shape is \(images.shape)") }
        if images.dtype.isFloatingPoint {
            let values = images.toArray(of: Float.self)
            if let index = values.firstIndex(where: { !$0.isFinite }) {
                throw DataError(
                    "\(path) has a pixel of \(values[index]) in image \(index / (values.count / images.shape[0]))")
            }
        }
        return images
    }

    private static func readLabels(_ path: String) throws -> [Int64] {
        let labels = try IDX.read(path)
        guard labels.rank == 1, labels.dtype.isInteger else {
            let advice = labels.rank >= 3 ? "; is it an images file under a wrong name?" : ""
            throw DataError(
                "\(path) holds no labels: it has \(labels.dtype) elements of shape \(labels.shape), a list of integers is needed\(advice)"
            )
        }
        let values = labels.toArray(of: Int64.self)
        if let index = values.firstIndex(where: { $0 < 0 || $0 >= mostClasses }) {
            throw DataError(
                "\(path): label \(values[index]) of item \(index) is out of range: classes are numbered from 0 to at most \(mostClasses - 1)"
            )
        }
        return values
    }
}

/// Which file of a directory holds what, read off their names.
struct ImageDirectory {
    enum Part: String { case train = "training", test = "test" }
    enum Content: String { case images, labels }

    let path: String
    private let fileNames: [String]

    init(_ path: String) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw DataError("\(path) does not exist; a directory of IDX files is needed")
        }
        guard isDirectory.boolValue else { throw DataError("\(path) is no directory; one of IDX files is needed") }
        do {
            fileNames = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
        } catch {
            throw DataError("\(path) cannot be listed: \(error.localizedDescription)")
        }
        self.path = path
    }

    /// Whether any of the four files is there.
    var isEmpty: Bool { allFiles.allSatisfy(\.isEmpty) }
    /// Whether each of the four files is there.
    var isComplete: Bool { allFiles.allSatisfy { !$0.isEmpty } }

    private var allFiles: [[String]] {
        [(Part.train, Content.images), (.train, .labels), (.test, .images), (.test, .labels)].map(files)
    }

    func path(of part: Part, _ content: Content) throws -> String {
        // The same file plain and gzipped is one file: the plain name sorts first.
        let found = files(of: part, content)
        guard let first = found.first else {
            let example = "\(part == .train ? "train" : "t10k")-\(content)-idx\(content == .images ? 3 : 1)-ubyte"
            throw DataError("\(path) has no \(part.rawValue) \(content): \(example) is needed, plain or with .gz")
        }
        if let other = found.first(where: { $0 != first && $0 != first + ".gz" }) {
            throw DataError("\(path) has two files of \(part.rawValue) \(content): \(first) and \(other); keep one")
        }
        return "\(path)/\(first)"
    }

    private func files(of part: Part, _ content: Content) -> [String] {
        let stems = part == .train ? ["train-\(content)"] : ["t10k-\(content)", "test-\(content)"]
        return fileNames.filter { name in
            guard let stem = Self.stem(name) else { return false }
            return stems.contains { stem == $0 || stem.hasSuffix("-" + $0) }
        }
    }

    /// "train-images" of "train-images-idx3-ubyte" and "train-images.idx3-ubyte.gz"; nil when it is not so named.
    private static func stem(_ name: String) -> Substring? {
        var rest = name.hasSuffix(".gz") ? name.dropLast(3) : name[...]
        guard rest.hasSuffix("-ubyte") else { return nil }
        rest = rest.dropLast(6)
        guard rest.last?.isNumber == true else { return nil }
        rest = rest.dropLast()
        return rest.hasSuffix("-idx") || rest.hasSuffix(".idx") ? rest.dropLast(4) : nil
    }
}
