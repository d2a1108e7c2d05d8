import ChainRule

/// Digits drawn by the program: the strokes of several hands, bent, turned, slanted, stretched and shifted, drawn with pens of varied
/// width, blurred and sprinkled with noise. Synthetic, to have something to learn where there is no network: 28×28 grey values.
///
/// A linear classifier gets about nine in ten of them, a convolutional network nearly all. Only integers, the four operations and
/// the square root are used, so a seed gives the same bytes on every machine.
public enum SyntheticDigits {
    public static let size = 28

    /// A data set; training and test images have nothing in common but the hands that write.
    public static func generate(trainCount: Int = 20_000, testCount: Int = 4_000, seed: UInt64 = 0)
        -> ClassificationData
    {
        ClassificationData(
            train: generate(count: trainCount, seed: seed),
            test: generate(count: testCount, seed: SplitMix64.independentSeed(of: seed)),
            classNames: (0..<10).map(String.init), name: "synthetic digits")
    }

    /// Inputs float32 (count, 1, 28, 28) from 0 to 1 in steps of 1/255, and their digits. More images of a seed begin with the same
    /// ones: each has a random stream of its own.
    public static func generate(count: Int, seed: UInt64) -> LabeledData {
        guard count >= 1 else {
            fail("SyntheticDigits", "the number of images must be 1 or more, not \(count)")
            return LabeledData(inputs: .zeros([0, 1, size, size]), targets: .zeros([0], dtype: .int64))
        }
        let (pixels, labels) = bytes(count: count, seed: seed)
        let values = (0...255).map { Float($0) / 255 }
        return LabeledData(
            inputs: Tensor(pixels.map { values[Int($0)] }, shape: [count, 1, size, size]),
            targets: Tensor(labels.map(Int64.init)))
    }

    static func bytes(count: Int, seed: UInt64) -> (pixels: [UInt8], labels: [UInt8]) {
        var pixels: [UInt8] = []
        pixels.reserveCapacity(count * size * size)
        var labels: [UInt8] = []
        var canvas = Canvas(size: size)
        for index in 0..<count {
            var random = SplitMix64(seed: seed, stream: UInt64(index))
            let digit = random.below(10)
            draw(digit, on: &canvas, &random)
            pixels += canvas.bytes(noise: random.uniform(0, 0.08), &random)
            labels.append(UInt8(digit))
        }
        return (pixels, labels)
    }

    private static func draw(_ digit: Int, on canvas: inout Canvas, _ random: inout SplitMix64) {
        canvas.clear()
        let hands = Strokes.hands[digit]
        let strokes = hands[random.below(hands.count)]
        let placement = Placement(&random)
        let pen = Pen(&random)
        for stroke in strokes {
            let points = placement.place(stroke, &random)
            canvas.draw(Curve.through(points), with: pen.stroke(&random))
        }
        canvas.blur(random.uniform(0, 0.2))
    }
}

/// How a digit lies on the paper: from the unit square to pixels.
private struct Placement {
    private let xx, xy, yx, yy, shiftX, shiftY: Double
    private let bendX, bendY, swell: Double
    /// How far control points stray, in parts of the digit's size.
    private let unsteadiness: Double

    init(_ random: inout SplitMix64) {
        // The tangent of half an angle gives sine and cosine by division, the same on every machine.
        let halfTangent = random.normal() * 0.07
        let cosine = (1 - halfTangent * halfTangent) / (1 + halfTangent * halfTangent)
        let sine = 2 * halfTangent / (1 + halfTangent * halfTangent)
        let slant = random.normal() * 0.18 - 0.08
        let height = 20 * random.uniform(0.8, 1.07)
        let width = height * random.uniform(0.57, 0.87)
        xx = cosine * width
        xy = (cosine * slant - sine) * height
        yx = sine * width
        yy = (sine * slant + cosine) * height
        shiftX = 14 + random.normal() * 1.1
        shiftY = 14 + random.normal() * 1.1
        bendX = random.normal() * 0.18
        bendY = random.normal() * 0.14
        swell = random.normal() * 0.25
        unsteadiness = random.uniform(0.012, 0.04)
    }

    /// The stroke's points in pixels. A point written twice, a corner, strays once.
    func place(_ stroke: [Point], _ random: inout SplitMix64) -> [Point] {
        let drift = Point(x: random.normal() * 0.02, y: random.normal() * 0.02)
        var placed: [Point] = []
        for (index, point) in stroke.enumerated() {
            if index > 0 && point == stroke[index - 1] {
                placed.append(placed[index - 1])
                continue
            }
            var x = point.x - 0.5 + drift.x + random.normal() * unsteadiness
            var y = point.y - 0.5 + drift.y + random.normal() * unsteadiness
            // Paper and wrist: the upper part larger or smaller than the lower, lines bent to an arc.
            (x, y) = (x * (1 + swell * y) + bendX * (y * y - 0.12), y + bendY * (x * x - 0.12))
            placed.append(Point(x: xx * x + xy * y + shiftX, y: yx * x + yy * y + shiftY))
        }
        return placed
    }
}

/// A pen and the hand's pressure on it.
private struct Pen {
    private let radius: Double
    private let ink: Double

    init(_ random: inout SplitMix64) {
        radius = random.uniform(0.65, 1.75)
        ink = random.uniform(0.72, 1.08)
    }

    func stroke(_ random: inout SplitMix64) -> Canvas.Line {
        let start = radius * random.uniform(0.75, 1.15)
        return Canvas.Line(startRadius: start, endRadius: radius * random.uniform(0.65, 1.15), ink: ink)
    }
}
