"""Thin ZenML adapters around noria/, one folder per pipeline."""

from steps.shared.log_silencing import quiet_console

# ZenML makes its database, and says so, as soon as the first step is declared
quiet_console()
