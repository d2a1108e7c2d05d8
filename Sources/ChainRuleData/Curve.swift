struct Point: Sendable, Equatable {
    var x, y: Double
}

/// Smooth lines through points.
enum Curve {
    private static let stepsPerPiece = 6

    /// A Catmull–Rom curve: through all points, at each in the direction from its predecessor to its successor. A point given twice is a
    /// corner: the curve comes to rest there.
    static func through(_ points: [Point]) -> [Point] {
        guard points.count > 2, let last = points.last else { return points }
        var curve: [Point] = []
        for index in 0..<(points.count - 1) {
            let (p1, p2) = (points[index], points[index + 1])
            if p1 == p2 { continue }
            let p0 = points[max(index - 1, 0)]
            let p3 = points[min(index + 2, points.count - 1)]
            for step in 0..<stepsPerPiece {
                let t = Double(step) / Double(stepsPerPiece)
                curve.append(Point(x: value(p0.x, p1.x, p2.x, p3.x, t), y: value(p0.y, p1.y, p2.y, p3.y, t)))
            }
        }
        return curve + [last]
    }

    private static func value(_ p0: Double, _ p1: Double, _ p2: Double, _ p3: Double, _ t: Double) -> Double {
        let linear = (p2 - p0) * t
        let square = (2 * p0 - 5 * p1 + 4 * p2 - p3) * t * t
        let cube = (3 * p1 - p0 - 3 * p2 + p3) * t * t * t
        return 0.5 * (2 * p1 + linear + square + cube)
    }
}
