"""Each thing is done in one place, and a command reaches no more than it needs."""

from __future__ import annotations

import ast
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): (
        ast.parse(path.read_text("utf-8"))
    )
    for path in (ROOT / "pixsent_tf").rglob("*.py")
}


def dotted(node: ast.expr) -> str:
    """Spell `a.b.c` as it stands in the code; "" for any other expression."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def imports(tree: ast.AST) -> set[str]:
    """Name all that a module imports, at its top or in a function."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            found.add(str(node.module))
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def names(tree: ast.AST) -> set[str]:
    """Name all that a module uses or imports."""
    used = {dotted(node) for node in ast.walk(tree) if isinstance(node, ast.expr)}
    return used | imports(tree)


def way(start: str, end: str) -> list[str]:
    """Find the shortest way from a module to another by what they import."""
    ways = [[start]]
    seen = {start}
    for known in ways:  # grows
        if known[-1] == end:
            return known
        for name in sorted(imports(MODULES[known[-1]]) & MODULES.keys() - seen):
            seen.add(name)
            ways.append([*known, name])
    raise AssertionError(f"{start} does not reach {end}")


@pytest.mark.parametrize(
    ("what", "places"),
    [
        ("keras.saving.load_model", {"pixsent_tf.inference.model"}),
        ("keras.models.load_model", set()),
    ],
)
def test_one_module_opens_saved_models(what, places):
    assert {name for name, tree in MODULES.items() if what in names(tree)} == places


def test_one_loop_passes_pictures_through_networks():
    stream = "pixsent_tf.data.pipeline.CanvasStream"

    assert {name for name, tree in MODULES.items() if stream in imports(tree)} == {
        "pixsent_tf.data.canvases",  # decodes once what a training will read
        "pixsent_tf.inference.sweep",
    }


def test_ten_crops_are_cut_and_averaged_in_one_place():
    users = {
        name
        for name, tree in MODULES.items()
        if any(each.endswith("preprocessor.ten_crop") for each in names(tree))
    }

    assert users == {"pixsent_tf.inference.sweep"}


def test_one_module_reads_and_writes_predictions():
    users = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == "predictions.csv"
    }

    assert users == {"pixsent_tf.inference.predictions"}


def test_one_module_reads_the_tables_that_people_bring():
    readers = {
        name
        for name, tree in MODULES.items()
        if {"csv.reader", "csv.DictReader"} & names(tree)
    }

    assert readers == {
        "pixsent_tf.data.lists.tables",
        "pixsent_tf.analysis.map_checks",  # boxes of the drawn sample
        "pixsent_tf.data.levels.votes",  # of DeepSent's authors, in many forms
        "pixsent_tf.demo.label_table",  # what it has written
        "pixsent_tf.texts",  # what runs have written
    }


def test_one_module_says_what_labels_mean():
    words = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in ("neg", "pos", "happy")
    }

    assert words == {
        "pixsent_tf.data.class_names",
        "pixsent_tf.data.levels.votes",  # votes of DeepSent's authors
    }


def test_cores_are_counted_in_one_place():
    users = {
        name
        for name, tree in MODULES.items()
        if {"os.cpu_count", "os.sched_getaffinity"} & names(tree)
        or any(
            dotted(node.func).endswith("ThreadPoolExecutor") and not node.args
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
        )
    }

    assert users == {"pixsent_tf.machine"}


MEMORY = {"buffer", "stream"}
WRITERS = {"write_text", "write_bytes", "savez", "savez_compressed", "savefig"}
# What these write to is lent to them by one who writes it whole, or no result: a log.
LENT = {
    "pixsent_tf.data.tfds": {"_write"},
    "pixsent_tf.data.decode.given": {"_add_encoded"},
    "pixsent_tf.serving.saved_model": {"write_assets"},
    "pixsent_tf.studies.search.workers": {"_start"},
    "pixsent_tf.serving.c_api": {"main"},
}


def is_write(node: ast.AST) -> bool:
    """Tell whether a call makes a file; a picture saved into memory is none."""
    if not isinstance(node, ast.Call):
        return False
    name = dotted(node.func) or getattr(node.func, "attr", "")
    modes = [a.value for a in node.args if isinstance(a, ast.Constant)]
    opens = name.split(".")[-1] in ("open", "fdopen")
    return (opens and bool({"w", "wb", "x", "xb"} & set(modes))) or (
        "." in name and name.split(".")[-1] in WRITERS and name != "runs.write_text"
    )


def written_in_place(tree: ast.AST, *, is_lent: bool = False) -> list[str]:
    """Spell calls that make a file at its own name, beneath no `whole`."""
    found = []
    for node in ast.iter_child_nodes(tree):
        lent = is_lent
        if isinstance(node, ast.With):
            opened = ast.unparse(ast.Tuple([item.context_expr for item in node.items]))
            lent |= "whole(" in opened or "TemporaryDirectory(" in opened
        if is_write(node) and not lent and not MEMORY & names(node):
            found.append(ast.unparse(node))
        found += written_in_place(node, is_lent=lent)
    return found


def test_files_are_written_whole():
    in_place = {
        (name, function.name): written_in_place(function)
        for name, tree in MODULES.items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        and function.name not in LENT.get(name, set())
    }

    assert [(*where, calls) for where, calls in in_place.items() if calls] == []


def test_what_a_program_will_read_holds_no_nan():
    writers = ("pixsent_tf.cli", "pixsent_tf.demo", "pixsent_tf.runs")
    lax = [
        f"{name}:{node.lineno}"
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if name.startswith(writers)
        and isinstance(node, ast.Call)
        and dotted(node.func) in ("json.dumps", "json.dump")
        and "allow_nan" not in {keyword.arg for keyword in node.keywords}
    ]

    assert lax == []


def test_from_predict_to_the_network_it_is_not_far():
    shipped = way("pixsent_tf.cli.predict", "pixsent_tf.models.efficientnet_lite")
    own = way("pixsent_tf.cli.predict", "pixsent_tf.inference.sweep")

    assert len(["pixsent_tf.cli", *shipped]) <= 6, shipped
    assert len(["pixsent_tf.cli", *own]) <= 6, own


def test_contributing_shows_the_ways_to_the_network():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    section = text[text.index("From a picture to its answer") :].split("\n\n")[0]
    shown = [
        [
            "pixsent_tf." + name.removesuffix(".py").replace("/", ".")
            for name in re.findall(r"`(\w+/\w+\.py)`", sentence)
        ]
        for sentence in section.split("From labelled pictures")
    ]

    for verb, steps in zip(("predict", "fit"), shown, strict=True):
        assert steps[0] == f"pixsent_tf.cli.{verb}"
        assert len(["pixsent_tf.cli", *steps]) <= 6, steps
        for this, following in itertools.pairwise(steps):
            assert following in imports(MODULES[this]), f"{this} -> {following}"


@pytest.mark.parametrize(("room", "most"), [("data", 15), ("studies", 16)])
def test_a_room_is_not_crowded(room, most):
    modules = [
        path.name
        for path in (ROOT / "pixsent_tf" / room).glob("*.py")
        if path.name != "__init__.py"
    ]

    assert len(modules) <= most, modules


def run(code: str, *arguments: str) -> list[str]:
    """Run code in a process of its own; give the words of its last line of errors."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    return done.stderr.splitlines()[-1].split()


def test_predicting_reaches_a_seventh_of_the_package(tmp_path, monkeypatch):
    monkeypatch.setenv("PIXSENT_CACHE", str(tmp_path / "cache"))
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.png")
    code = (
        "import sys\n"
        "from pixsent_tf.cli import cli\n"
        "cli(['predict', sys.argv[1], '--quiet'], standalone_mode=False)\n"
        "found = [name for name in sys.modules if name.startswith('pixsent_tf')]\n"
        "print(*found, file=sys.stderr)"
    )
    reached = run(code, str(tmp_path / "photo.png"))

    assert "pixsent_tf.inference.litert" in reached
    assert len(reached) <= 45, reached


def test_whoever_loads_a_model_knows_every_layer_that_it_may_hold():
    layers = {
        node.name
        for tree in MODULES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(dotted(base) == "keras.layers.Layer" for base in node.bases)
    }
    code = (
        "import sys, keras\n"
        "import pixsent_tf.inference.model\n"
        "print(*keras.saving.get_custom_objects(), file=sys.stderr)"
    )
    known = {name.removeprefix("pixsent_tf>") for name in run(code)}

    assert {"ToCrop", "Texture", "CaffeInput"} <= layers
    assert layers <= known
