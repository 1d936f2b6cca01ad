"""The records: models, transactions and one module of plain functions for each noun.

The functions take a session and flush; whoever calls opens the transaction (`Store.read`, `Store.write`).
"""
