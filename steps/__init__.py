"""Thin ZenML adapters around noria/, one folder per pipeline."""
