"""Is the builder known after `import pixsent_tf`, at no cost?"""

from __future__ import annotations

import subprocess
import sys

import pytest

KNOWN = "assert tfds.builder_cls('pixsent_twitter').name == 'pixsent_twitter'"


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "imports",
    [
        "import pixsent_tf; import tensorflow_datasets as tfds",
        "import tensorflow_datasets as tfds; import pixsent_tf",
        "import pixsent_tf.data.deepsent.builder; import tensorflow_datasets as tfds",
        "import pixsent_tf; from importlib.util import find_spec;"
        "find_spec('tensorflow_datasets'); import tensorflow_datasets as tfds",
    ],
)
def test_builder_is_known_in_every_order_of_imports(imports):
    run(f"{imports}; {KNOWN}")


def test_package_imports_neither_tensorflow_nor_its_datasets():
    run(
        "import sys, pixsent_tf;"
        "assert not {'tensorflow', 'tensorflow_datasets', 'numpy'} & set(sys.modules)"
    )


def test_registering_loads_no_tensorflow():
    run(
        "import sys, pixsent_tf, tensorflow_datasets;"
        "assert 'pixsent_tf.data.deepsent.builder' in sys.modules;"
        "assert 'tensorflow' not in sys.modules"
    )
