"""What every process may import: errors, clock, messages, tables. Nothing heavy, and nothing else of ours."""
