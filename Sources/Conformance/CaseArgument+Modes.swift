import ChainRule

// Modes that operations and layers call by the same names.
extension CaseArgument {
    var interpolation: InterpolationMode {
        get throws {
            switch try string(or: "nearest") {
            case "nearest": .nearest
            case "nearest-exact": .nearestExact
            case "linear", "bilinear", "trilinear": .linear
            case "bicubic": .bicubic
            case "area": .area
            case let other: throw Unsupported("the mode \(other)")
            }
        }
    }

    var bagReduction: BagReduction {
        get throws {
            switch try string(or: "mean") {
            case "sum": .sum
            case "mean": .mean
            case "max": .max
            case let other: throw Unsupported("the mode \(other)")
            }
        }
    }
}
