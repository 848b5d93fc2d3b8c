"""What the training pipeline costs on top of the work itself."""
