"""`python -m bench [name ...]`: run the named benchmarks, or all quick ones, and print their ratios.

`name:number` gives a benchmark another size: `table_profile:200000`.
"""

from __future__ import annotations

import importlib
import sys

ALL = (
    "startup",
    "first_event",
    "compare",
    "engine",
    "honest_scores",
    "table_profile",
    "predict",
    "upload",
    "paging",
    "status",
    "cancel",
    "hostile",
)


#: these take long, and run only when they are named
LONG = ("quality",)


def main(names: list[str]) -> int:
    unknown = [name for name in names if name.partition(":")[0] not in (*ALL, *LONG)]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are {', '.join((*ALL, *LONG))}.")
        return 2
    for wanted in names or ALL:
        name, _, size = wanted.partition(":")
        module = importlib.import_module(f"bench.{name}")
        print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
        module.run(*([int(size)] if size else []))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
