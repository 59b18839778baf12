"""Is the builder known after `import pixsent_tf.data.deepsent`, and only then?"""

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
        "import pixsent_tf.data.deepsent; import tensorflow_datasets as tfds",
        "import tensorflow_datasets as tfds; import pixsent_tf.data.deepsent",
    ],
)
def test_builder_is_known_in_every_order_of_imports(imports):
    run(f"{imports}; {KNOWN}")


def test_package_imports_neither_tensorflow_nor_its_datasets():
    run(
        "import sys, pixsent_tf;"
        "assert not {'tensorflow', 'tensorflow_datasets', 'numpy'} & set(sys.modules)"
    )


def test_package_alone_leaves_the_import_of_others_as_it_is():
    run(
        "import sys, pixsent_tf;"
        "import tensorflow_datasets;"
        "assert [f for f in sys.meta_path if 'pixsent' in type(f).__module__] == [];"
        "assert 'pixsent_tf.data' not in sys.modules"
    )


def test_registering_loads_no_tensorflow():
    run("import sys, pixsent_tf.data.deepsent;assert 'tensorflow' not in sys.modules")


def test_a_deepsent_folder_is_read_without_tensorflow_datasets():
    run(
        "import sys, pixsent_tf.data.copies.audit, pixsent_tf.data.sources;"
        "assert not {'tensorflow', 'tensorflow_datasets'} & set(sys.modules)"
    )
