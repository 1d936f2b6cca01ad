"""All that runs inside a kernel: the agent, the engine and the predictor. Never imported by the server."""
