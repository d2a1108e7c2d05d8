/// Every operation there is, by family. The gradient sweep and the documentation go through this list; a test sees to it that no
/// cell is missing.
public enum OperationRegistry {
    public static let all: [any Operation.Type] = [
        arithmeticOperations, conversionOperations, viewOperations, sumOperations,
        transformOperations,
        exponentialOperations, powerOperations, trigonometricOperations, specialFunctionOperations,
        roundingOperations, pairOperations,
        activationOperations, piecewiseActivationOperations,
        selectionOperations, comparisonOperations, logicOperations,
        slicingOperations, joiningOperations, rowOperations, gatheringOperations, positionOperations, bagOperations,
        matrixProductOperations, averageOperations, extremumOperations, productReductionOperations,
        normOperations,
        softmaxOperations, crossEntropyOperations, connectionistTemporalOperations, binaryCrossEntropyOperations,
        convolutionOperations,
        poolingOperations, normalizationOperations,
        dropoutOperations, recurrenceOperations,
        repeatingOperations, diagonalOperations, windowOperations, sortingOperations, scanOperations,
        scatterReductionOperations,
        linearAlgebraOperations, orderStatisticOperations, distanceOperations, attentionOperations,
        regressionLossOperations,
    ].flatMap { $0 }
}
