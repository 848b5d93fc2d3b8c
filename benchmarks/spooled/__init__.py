"""The spool beside the plain ways to keep answers on a local disk."""
