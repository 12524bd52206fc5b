"""The command line as a module."""

from __future__ import annotations

import subprocess
import sys


def test_the_module_is_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "exprimo", "prs", "fit", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "prs fit" in done.stdout
