"""Modules for every process: errors, clock, messages, tables. They import nothing heavy and no other folder."""
