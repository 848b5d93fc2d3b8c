"""Judgement: how good a model is, what it brings in, and whether it may replace the one before it."""
