import ChainRule

extension Module: CustomStringConvertible {
    /// The tree of modules, each as its constructor call, with the shapes of its parameters and their number.
    ///
    /// ```
    /// Sequential(
    ///   (0): Linear(784, 50)  weight [50, 784], bias [50]  39,250 parameters
    ///   (1): ReLU()
    /// )  39,250 parameters
    /// ```
    public final var description: String { tree(indentation: "") }

    private func tree(indentation: String) -> String {
        let children = children
        let own = ownParameters.compactMap { name, parameter in parameter.leaf.map { "\(name) \($0.shape)" } }
        let shapes = own.isEmpty ? "" : "  " + own.joined(separator: ", ")
        let isFrozen = !own.isEmpty && ownParameters.allSatisfy { $0.parameter.leaf == nil || $0.parameter.isFrozen }
        let count = parameterCount
        let total = count == 0 ? "" : "  \(grouped(count)) parameters" + (isFrozen ? ", frozen" : "")
        guard !children.isEmpty else { return summary + shapes + total }
        let name = String(describing: type(of: self))
        let lines = children.map { "\(indentation)  (\($0.name)): \($0.module.tree(indentation: indentation + "  "))" }
        return "\(name)(\n" + lines.joined(separator: "\n") + "\n\(indentation))" + shapes + total
    }

    /// 39250 as "39,250".
    private func grouped(_ number: Int) -> String {
        var digits = String(number)
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: position))
            position -= 3
        }
        return digits
    }
}
