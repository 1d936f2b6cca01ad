"""What tables look like, known alike by the server and by kernels. A leaf: nothing heavy is imported."""
