"""Launching a pipeline on a stack and following it to its end."""
