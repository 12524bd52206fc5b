"""Run a benchmark by name: ``python -m benchmarks windows``; without a name, list them."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path


def main() -> None:
    here = Path(__file__).parent
    names = sorted(p.stem for p in here.glob("*.py") if not p.stem.startswith("_"))
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        for name in names:
            summary = (import_module(f"benchmarks.{name}").__doc__ or "").splitlines()[0]
            print(f"python -m benchmarks {name:10} {summary}")
        raise SystemExit(0 if len(sys.argv) < 2 else 2)
    module = import_module(f"benchmarks.{sys.argv[1]}")
    module.main(sys.argv[2:])


if __name__ == "__main__":
    main()
