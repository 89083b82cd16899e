"""Training: epochs, validation, early stop, checkpoints."""
