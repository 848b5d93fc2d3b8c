"""Serving several variants at once: assignment of cases, canary growth, and changes of the traffic plan."""
