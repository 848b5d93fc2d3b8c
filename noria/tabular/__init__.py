"""Tables and values below the level of a use case: reading raw values, declared types, column names in errors."""
