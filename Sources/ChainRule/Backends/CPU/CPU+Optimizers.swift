import CKernels

/// The fused optimiser steps: one pass over a parameter and its moments. Moments are nil before the first step.
package enum ParameterUpdate {
    /// What SGD needs to know; see `SGD` for the meaning.
    package struct SGD {
        package var learningRate, momentum, dampening, weightDecay: Double
        package var nesterov: Bool

        package init(
            learningRate: Double, momentum: Double, dampening: Double, weightDecay: Double, nesterov: Bool
        ) {
            self.learningRate = learningRate
            self.momentum = momentum
            self.dampening = dampening
            self.weightDecay = weightDecay
            self.nesterov = nesterov
        }
    }

    /// Updates the data of a leaf; `buffer` holds its momentum.
    package static func sgd(_ parameter: Tensor, _ gradient: Tensor, buffer: inout Tensor?, _ options: SGD) {
        let gradient = CPU.contiguous(gradient.to(parameter.dtype))
        let isFirst = buffer == nil
        if isFirst && options.momentum != 0 { buffer = .zeros(parameter.shape, dtype: parameter.dtype) }
        var config = ck_sgd(
            learning_rate: options.learningRate, momentum: options.momentum, dampening: options.dampening,
            weight_decay: options.weightDecay, nesterov: options.nesterov ? 1 : 0, first: isFirst ? 1 : 0)
        let count = Int64(parameter.count)
        switch parameter.dtype {
        case .float32:
            ck_sgd_f32(
                &config, count, parameter.data.uniquePointer(to: Float.self), gradient.pointer(to: Float.self),
                buffer?.uniquePointer(to: Float.self))
        case .float64:
            ck_sgd_f64(
                &config, count, parameter.data.uniquePointer(to: Double.self), gradient.pointer(to: Double.self),
                buffer?.uniquePointer(to: Double.self))
        default: reportDtype("SGD", parameter)
        }
    }

    /// What Adam and AdamW need to know; see `Adam` for the meaning.
    package struct Adam {
        package var learningRate, beta1, beta2, epsilon, weightDecay: Double
        package var isDecoupled, amsgrad: Bool

        package init(
            learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
            isDecoupled: Bool, amsgrad: Bool
        ) {
            self.learningRate = learningRate
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.isDecoupled = isDecoupled
            self.amsgrad = amsgrad
        }
    }

    /// The first and second moments, and for amsgrad the maximum of the second.
    package struct Moments: Sendable {
        package var first, second: Tensor
        package var maximum: Tensor?
        package var step: Int

        package init(first: Tensor, second: Tensor, maximum: Tensor?, step: Int) {
            self.first = first
            self.second = second
            self.maximum = maximum
            self.step = step
        }
    }

    package static func adam(_ parameter: Tensor, _ gradient: Tensor, _ moments: inout Moments, _ options: Adam) {
        let gradient = CPU.contiguous(gradient.to(parameter.dtype))
        moments.step += 1
        var config = ck_adam(
            learning_rate: options.learningRate, beta1: options.beta1, beta2: options.beta2, eps: options.epsilon,
            weight_decay: options.weightDecay, decoupled: options.isDecoupled ? 1 : 0,
            amsgrad: options.amsgrad ? 1 : 0, step: Int64(moments.step))
        let count = Int64(parameter.count)
        switch parameter.dtype {
        case .float32:
            ck_adam_f32(
                &config, count, parameter.data.uniquePointer(to: Float.self), gradient.pointer(to: Float.self),
                moments.first.uniquePointer(to: Float.self), moments.second.uniquePointer(to: Float.self),
                moments.maximum?.uniquePointer(to: Float.self))
        case .float64:
            ck_adam_f64(
                &config, count, parameter.data.uniquePointer(to: Double.self), gradient.pointer(to: Double.self),
                moments.first.uniquePointer(to: Double.self), moments.second.uniquePointer(to: Double.self),
                moments.maximum?.uniquePointer(to: Double.self))
        default: reportDtype("Adam", parameter)
        }
    }

    private static func reportDtype(_ optimizer: String, _ parameter: Tensor) {
        fail(optimizer, "updates float32 and float64 parameters, this one is \(parameter.dtype)")
    }
}
