"""The file store: a folder or a bucket, behind one interface."""
