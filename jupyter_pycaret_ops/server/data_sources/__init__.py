"""Tables that users bring: uploads checked while they stream, connectors, inspections in a kernel."""
