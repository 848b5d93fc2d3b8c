"""What every pipeline needs to run: the environment, the stack, and a clear end."""
