"""Predictions on request: the loaded models, micro-batching, tables, explanations."""
