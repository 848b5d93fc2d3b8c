"""Stacks: their files, what ZenML has registered, and the preflight that finds what is missing."""
