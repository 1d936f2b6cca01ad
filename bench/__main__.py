"""`python -m bench [name ...]`: run the named benchmarks, or all of them, and print their ratios."""

from __future__ import annotations

import importlib
import sys

ALL = (
    "startup",
    "first_event",
    "compare",
    "engine",
    "predict",
    "upload",
    "paging",
    "status",
    "cancel",
    "hostile",
)


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ALL]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are {', '.join(ALL)}.")
        return 2
    for name in names or ALL:
        module = importlib.import_module(f"bench.{name}")
        print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
        module.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
