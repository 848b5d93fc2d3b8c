"""Metrics over weighted rows, bootstrap intervals, and the value of decisions."""
