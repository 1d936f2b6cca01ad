"""Data sources: uploads, which are checked while they are received, connectors, inspections in a kernel."""
