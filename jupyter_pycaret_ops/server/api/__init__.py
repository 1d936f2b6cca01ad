"""The HTTP and WebSocket API: thin Tornado handlers over the services, made from one table of routes."""
