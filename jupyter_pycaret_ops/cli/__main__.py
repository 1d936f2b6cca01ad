"""`python -m jupyter_pycaret_ops.cli`, the same as `jupyter pycaret-ops`."""

from . import main

if __name__ == "__main__":
    main()
