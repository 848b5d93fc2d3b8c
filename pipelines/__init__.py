"""One file per pipeline; each reads like a table of contents."""
