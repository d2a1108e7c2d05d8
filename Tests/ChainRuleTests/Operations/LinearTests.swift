import Testing

@testable import ChainRule

// Expected numbers are PyTorch's.

struct LinearTests {
    private let x = patterned([2, 3])
    private let weight = patterned([2, 3], seed: 1)
    private let bias = patterned([2], seed: 2)

    private static let activations: [Activation] = [
        .relu, .tanh, .sigmoid, .silu, .gelu(approximate: .none), .gelu(approximate: .tanh),
    ]

    @Test func valueAndGradients() {
        let (x, weight, bias) = (x.requiringGrad(), weight.requiringGrad(), bias.requiringGrad())
        let y = x.linear(weight: weight, bias: bias)
        expectClose(y, [2.59375, 1.71875, 0.46875, -1.09375])
        (y * patterned([2, 2], seed: 3)).sum().backward()
        expectClose(x.grad, [-0.53125, -0.25, -0.6875, -0.0625, -1.1875, 0.5625])
        expectClose(weight.grad, [0.1875, 0.65625, -0.671875, -0.6875, 0.875, 0.640625])
        expectClose(bias.grad, [-1.375, 2.125])
    }

    @Test(arguments: [[3], [4, 3], [2, 2, 3], [0, 3], [2, 0, 3]] as [Shape]) func anyRank(_ shape: Shape) {
        let input = patterned(shape)
        let expected = input.matmul(weight.t()) + bias
        let y = input.linear(weight: weight, bias: bias)
        #expect(y.shape == expected.shape)
        expectClose(y, expected.toArray())
        expectClose(input.linear(weight: weight), input.matmul(weight.t()).toArray())
    }

    /// A view whose rows are no single run of memory, and a slice that does not begin where its memory does.
    @Test func views() {
        let permuted = patterned([3, 2, 4]).permute(2, 1, 0)
        expectClose(permuted.linear(weight: weight), permuted.matmul(weight.t()).toArray())
        let slice = patterned([4, 3])[2...]
        expectClose(
            slice.linear(weight: weight, bias: bias), (slice.contiguous().matmul(weight.t()) + bias).toArray())
    }

    /// Fused and composed give equal values and gradients.
    @Test(arguments: Self.activations) func activation(_ activation: Activation) {
        func run(_ forward: (Tensor, Tensor, Tensor) -> Tensor) -> (Tensor, [Tensor?]) {
            let leaves = [x, weight, bias].map { $0.requiringGrad() }
            let y = forward(leaves[0], leaves[1], leaves[2])
            (y * patterned([2, 2], seed: 3)).sum().backward()
            return (y, leaves.map(\.grad))
        }
        let fused = run { $0.linear(weight: $1, bias: $2, activation: activation) }
        let composed = run {
            let z = $0.linear(weight: $1, bias: $2)
            return switch activation {
            case .relu: z.relu()
            case .tanh: z.tanh()
            case .sigmoid: z.sigmoid()
            case .silu: z.silu()
            case .gelu(let approximate): z.gelu(approximate: approximate)
            }
        }
        expectClose(fused.0, composed.0.toArray())
        for (left, right) in zip(fused.1, composed.1) { expectClose(left, right?.toArray() ?? []) }
    }

    /// Also where nothing is recorded, and in 16 bits.
    @Test(arguments: Self.activations, [DType.float32, .bfloat16]) func activationOfOtherKinds(
        _ activation: Activation, _ dtype: DType
    ) {
        let (x, weight) = (self.x.to(dtype), self.weight.to(dtype))
        let y = x.linear(weight: weight, activation: activation)
        let leaf = x.requiringGrad()
        let recorded = leaf.linear(weight: weight, activation: activation)
        recorded.sum().backward()
        #expect(y.dtype == dtype && leaf.grad?.dtype == dtype)
        #expect(y.to(.float64).toArray() as [Double] == recorded.detach().to(.float64).toArray() as [Double])
    }

    @Test func mistakesNameTheShapes() {
        expectMistake("linear", "[2, 4]", "[2, 3]") { _ = patterned([2, 4]).linear(weight: weight) }
        expectMistake("bias", "[3]", "[2]") { _ = x.linear(weight: weight, bias: patterned([3])) }
        expectMistake("float32", "float64") { _ = x.linear(weight: weight.to(.float32)) }
        expectMistake("bool") { _ = x.to(.bool).linear(weight: weight.to(.bool)) }
    }
}
