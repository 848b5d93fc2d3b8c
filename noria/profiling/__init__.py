"""What a table is: column profiles, association with the target, and leakage.

`report/` shows it on a page (`explore`); `scaffold/` writes a first use case from it (`new`). The type of a column is
decided in `noria.schema.column_types`.
"""
