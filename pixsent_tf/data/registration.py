"""How does TensorFlow Datasets learn of our builder without being imported here?

`tfds.load("pixsent_twitter/five_agrees")` works after `import pixsent_tf`, in either
order of the two imports. TensorFlow Datasets knows a builder once its module has been
imported, and importing it takes longer than all of `pixsent-tf --help`. So the
builder's module waits until somebody else imports TensorFlow Datasets.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

_AWAITED = "tensorflow_datasets"
_BUILDERS = "pixsent_tf.data.deepsent.builder"


def register_builders() -> None:
    """Make our builders known as soon as TensorFlow Datasets is imported."""
    if _AWAITED in sys.modules:
        importlib.import_module(_BUILDERS)
    elif not any(isinstance(finder, _Watch) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Watch())


class _Watch:
    """Finds TensorFlow Datasets as Python would, and imports our builders after it."""

    is_asking = False

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if name != _AWAITED or self.is_asking:
            return None
        self.is_asking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self.is_asking = False
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_register(module: ModuleType) -> None:
                run(module)
                importlib.import_module(_BUILDERS)

            vars(spec.loader)["exec_module"] = run_and_register
        return spec
