"""The HTTP and WebSocket API: thin Tornado handlers over the rooms, made from one table of routes."""
