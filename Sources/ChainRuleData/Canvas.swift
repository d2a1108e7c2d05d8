/// A square sheet of grey values, 0 for paper and 1 for full ink, and the pens that write on it.
struct Canvas {
    private let size: Int
    private var ink: [Double]
    private var scratch: [Double]

    /// The pen along one stroke: its radius goes from one value to the other.
    struct Line {
        let startRadius, endRadius: Double
        /// How dark it writes; from 1 on, black.
        let ink: Double
    }

    init(size: Int) {
        self.size = size
        ink = [Double](repeating: 0, count: size * size)
        scratch = ink
    }

    mutating func clear() {
        for index in ink.indices { ink[index] = 0 }
    }

    /// Draws straight pieces between the points.
    mutating func draw(_ points: [Point], with line: Line) {
        for index in 1..<max(points.count, 1) {
            let progress = Double(index) / Double(points.count)
            let radius = line.startRadius + (line.endRadius - line.startRadius) * progress
            draw(from: points[index - 1], to: points[index], radius: radius, darkness: min(line.ink, 1))
        }
    }

    /// Ink is full inside the pen and fades over one pixel around its edge; where strokes cross, the darker counts.
    private mutating func draw(from a: Point, to b: Point, radius: Double, darkness: Double) {
        let reach = radius + 0.5
        let rows = pixels(from: min(a.y, b.y) - reach, to: max(a.y, b.y) + reach)
        let columns = pixels(from: min(a.x, b.x) - reach, to: max(a.x, b.x) + reach)
        let (dx, dy) = (b.x - a.x, b.y - a.y)
        let length = dx * dx + dy * dy
        for row in rows {
            for column in columns {
                let (x, y) = (Double(column) + 0.5 - a.x, Double(row) + 0.5 - a.y)
                let along = length > 0 ? min(max((x * dx + y * dy) / length, 0), 1) : 0
                let (ex, ey) = (x - along * dx, y - along * dy)
                let distance = (ex * ex + ey * ey).squareRoot()
                let value = min(max(reach - distance, 0), 1) * darkness
                if value > ink[row * size + column] { ink[row * size + column] = value }
            }
        }
    }

    private func pixels(from low: Double, to high: Double) -> Range<Int> {
        let first = min(max(Int(low), 0), size)
        return first..<max(min(Int(high) + 1, size), first)
    }

    /// Gives each pixel's neighbours a share of its ink: the kernel (share, 1 − 2 share, share) down and across.
    mutating func blur(_ share: Double) {
        blur(share, neighbour: 1)
        blur(share, neighbour: size)
    }

    private mutating func blur(_ share: Double, neighbour: Int) {
        swap(&ink, &scratch)
        for row in 0..<size {
            for column in 0..<size {
                let index = row * size + column
                let place = neighbour == 1 ? column : row
                let before = place > 0 ? scratch[index - neighbour] : 0
                let after = place < size - 1 ? scratch[index + neighbour] : 0
                ink[index] = (1 - 2 * share) * scratch[index] + share * (before + after)
            }
        }
    }

    /// The image, with noise of this deviation; dark places are noisier than paper.
    func bytes(noise: Double, _ random: inout SplitMix64) -> [UInt8] {
        ink.map { value in
            let noisy = value + random.normal() * noise * (0.4 + value)
            return UInt8((min(max(noisy, 0), 1) * 255).rounded())
        }
    }
}
