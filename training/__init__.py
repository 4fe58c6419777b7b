"""Training of the learned finder: PyTorch code that is not part of the package."""
