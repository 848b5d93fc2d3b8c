"""Reading, validating and splitting the table."""
