"""The BentoML service: imports noria, never steps or zenml."""
