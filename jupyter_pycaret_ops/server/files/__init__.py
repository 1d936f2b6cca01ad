"""The file store: uploads, artifacts and pipelines in a folder or at another URL that fsspec supports."""
