import ChainRule
import ChainRuleNN

/// What a criterion hands back to the model: for ten log-probabilities and class 9 (counted from 1), once by the negative
/// log-likelihood and once by the mean squared error against the one-hot target.
public func classNLL() {
    let output = Tensor([
        -2.2799, -2.3638, -2.3183, -2.1955, -2.3377, -2.3434, -2.3740, -2.2641, -2.3449, -2.2214,
    ])
    let target = Tensor(8)  // counted from 0

    let nll = NLLLoss()
    print("ClassNLLCriterion")
    print("loss:", nll.forward(output, target).item())
    printColumn("df_do:", nll.backward(output, target))

    let mse = MSELoss()
    let oneHot = (Tensor.arange(10) .== target).to(.float64)
    print("MSECriterion, one-hot target")
    print("loss:", mse.forward(output, oneHot).item())
    printColumn("df_do:", mse.backward(output, oneHot))
}

private func printColumn(_ title: String, _ tensor: Tensor) {
    print(title)
    for value in tensor.toArray(of: Double.self) { print("  \(value)") }
}
