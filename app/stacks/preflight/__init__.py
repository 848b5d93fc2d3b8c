"""The preflight: everything that would keep a stack from running, one check per file."""
