import ChainRule
import Foundation

/// Grey images in the portable graymap format: `P2` (numbers as text) and `P5` (bytes). Any image tool writes it.
public enum PGM {
    /// An image as a batch of one, values from 0 to 1.
    ///
    /// - Parameter shape: (1, height, width) that the image must have, or (features) with as many numbers as it has pixels.
    public static func read(_ path: String, shape: [Int]) throws -> Tensor {
        let image = try decode(try InputFile.read(path), name: path)
        let (height, width) = (image.shape[0], image.shape[1])
        let fits = shape.count == 3 ? shape == [1, height, width] : shape == [height * width]
        guard fits else {
            throw DataError(
                "\(path) is an image of \(width)×\(height) pixels; the model takes inputs of shape \(shape)")
        }
        return image.reshape(Shape([1] + shape))
    }

    /// (height, width), values from 0 to 1.
    static func decode(_ data: Data, name: String) throws -> Tensor {
        let bytes = [UInt8](data)
        var position = 2
        /// The next number of the header or of a text image; comments run from # to the end of the line.
        func nextNumber() -> Int? {
            while position < bytes.count {
                let byte = bytes[position]
                if byte == UInt8(ascii: "#") {
                    while position < bytes.count && bytes[position] != UInt8(ascii: "\n") { position += 1 }
                } else if byte == 32 || (9...13).contains(byte) {
                    position += 1
                } else {
                    break
                }
            }
            var number: Int?
            while position < bytes.count, (48...57).contains(bytes[position]), (number ?? 0) < 1 << 24 {
                number = (number ?? 0) * 10 + Int(bytes[position] - 48)
                position += 1
            }
            return number
        }
        let isText = bytes.starts(with: Array("P2".utf8))
        guard isText || bytes.starts(with: Array("P5".utf8)) else {
            throw DataError("\(name) is no PGM image: it begins with neither P2 nor P5")
        }
        guard let width = nextNumber(), let height = nextNumber(), let maximum = nextNumber(), width > 0, height > 0,
            (1...255).contains(maximum)
        else { throw DataError("\(name): its header does not give width, height and a maximum of 1 to 255") }
        var pixels: [Float] = []
        if isText {
            while pixels.count < width * height, let value = nextNumber() {
                pixels.append(Float(value) / Float(maximum))
            }
        } else {
            pixels = bytes.dropFirst(position + 1).prefix(width * height).map { Float($0) / Float(maximum) }
        }
        guard pixels.count == width * height else {
            throw DataError("\(name) is truncated: \(width)×\(height) pixels are announced, \(pixels.count) are there")
        }
        return Tensor(pixels, shape: [height, width])
    }
}
