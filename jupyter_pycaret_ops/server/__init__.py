"""The Jupyter server process. It imports neither pandas, scikit-learn nor PyCaret at start, and never unpickles."""
