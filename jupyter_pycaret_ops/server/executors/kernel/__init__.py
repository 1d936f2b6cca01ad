"""Worker kernels: starting, preloading, executing code in them, ending."""
