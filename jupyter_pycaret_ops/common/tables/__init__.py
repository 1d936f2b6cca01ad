"""Columns, types and previews of tables, for server and kernels alike. Imports nothing heavy."""
