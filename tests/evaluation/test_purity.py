"""Numbers from arrays: no network is needed to judge what one said."""

from __future__ import annotations

import pkgutil
import subprocess
import sys

from pixsent_tf import evaluation

CODE = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module("pixsent_tf.evaluation." + name)
above = ("inference", "training", "analysis", "serving", "studies", "data", "models")
sys.exit(" ".join(
    module for module in sys.modules
    if module in ("tensorflow", "keras", "PIL")
    or module.startswith(tuple("pixsent_tf." + part for part in above))
    and module != "pixsent_tf.data"  # which registers the builders
    and module != "pixsent_tf.data.registration"
) or 0)
"""


def test_no_module_loads_tensorflow_or_what_reads_files():
    names = [module.name for module in pkgutil.iter_modules(evaluation.__path__)]

    found = subprocess.run(
        [sys.executable, "-c", CODE, *names], capture_output=True, text=True
    )

    assert found.returncode == 0, found.stderr
