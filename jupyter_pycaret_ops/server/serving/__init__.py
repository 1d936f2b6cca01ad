"""Serving of deployments: validation, batching, prediction in the serving kernel, usage statistics."""
