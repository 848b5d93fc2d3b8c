"""A package, so that no `tests` of another project among the dependencies is taken for it."""
