"""The resources of the HTTP API, one class each, as attributes of `Client`."""
