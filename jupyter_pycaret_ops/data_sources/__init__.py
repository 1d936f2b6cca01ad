"""Tables that people bring: uploads checked while they stream, connectors, previews."""
