import ChainRule

/// Compares gradients with finite differences.
public enum GradientCheck {}
