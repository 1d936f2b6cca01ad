"""Where runs are executed, seen from the server."""
