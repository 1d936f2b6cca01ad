"""Worker kernels, seen from the server: started, kept warm, told what to do, ended for certain."""
