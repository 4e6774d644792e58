"""Compiled kernels are those of the sources that are here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from nearer import progress
from nearer.kernels import jit


def test_a_kernel_is_compiled_anew_when_one_that_it_calls_has_changed(tmp_path: Path) -> None:
    kernels = tmp_path / "nearer" / "kernels"
    kernels.mkdir(parents=True)
    for folder in (kernels, kernels.parent):
        (folder / "__init__.py").touch()
    shutil.copy(jit.__file__, kernels)
    shutil.copy(progress.__file__, kernels.parent)
    (kernels / "outer.py").write_text(
        "from nearer.kernels.inner import inner\nfrom nearer.kernels.jit import kernel\n\n\n"
        "@kernel\ndef outer(x):\n    return inner(x) + 100\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment["PYTHONPATH"] = str(tmp_path)
    ask = "from nearer.kernels.outer import outer; print(outer(1), sum(outer.stats.cache_hits.values()))"

    def asked(adds: int) -> str:
        (kernels / "inner.py").write_text(
            f"from nearer.kernels.jit import kernel\n\n\n@kernel\ndef inner(x):\n    return x + {adds}\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", ask], env=environment, capture_output=True, text=True, check=True, cwd=tmp_path
        )
        return done.stdout.strip()

    assert asked(1) == "102 0"
    assert asked(1) == "102 1"
    assert asked(2) == "103 0"
