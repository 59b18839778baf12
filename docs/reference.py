"""Which pages does the documentation get from the package itself?

MkDocs calls this module while it builds: one page for each module, from its docstrings,
one for the command line, from its `--help`, one for the settings, from their checks,
and one for what `--json` prints, from the definitions in `pixsent_tf.results` and the
comments beside their keys.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pixsent_tf.cli import cli
from pixsent_tf.config import Recipe
from pixsent_tf.config.changes import kind_of_setting, setting_names
from pixsent_tf.config.use import FLAGS, USES, value_of
from pixsent_tf.results.verbs import VERBS

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]
HELP_WIDTH = 88
SETTINGS_HEAD = """# Settings

What decides a result is a recipe: plain data, written into every run's `recipe.json`.
A setting is changed by its option, by `--set NAME=VALUE`, from Python by
`pixsent_tf.override(recipe, {NAME: value})`, or in JSON; each of these refuses, in one
line and before any picture is read, a name that does not exist, a value that is not
what the table says, and a change that would do nothing.

| setting | option | default | may be | does something with |
|---|---|---|---|---|"""
SETTINGS_FOOT = """
What each of them means: [`pixsent_tf.config.recipe`](pixsent_tf/config/recipe.md).
"""
PLAIN = {  # types that need no definition: one, several
    "str": ("text", "texts"),
    "int": ("integer", "integers"),
    "float": ("number", "numbers"),
    "bool": ("true or false", "true or false"),
    "Interval": ("interval", "intervals"),
    "Any": ("anything", "anything"),
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages into the navigation.

    Args:
        config: MkDocs' settings; `nav` is the part written by hand.

    Returns:
        The same, with a section "Reference".
    """
    packages: dict[str, list[Any]] = {}
    for name in module_names():
        parts = name.split(".")
        nested = len(parts) > 2 or (len(parts) == 2 and is_package(name))
        package = ".".join(parts[:2]) if nested else "pixsent_tf"
        page: Any = page_of(name)
        packages.setdefault(package, []).append(
            page if is_package(name) else {parts[-1]: page}
        )
    nav: list[Any] = [
        {"Command line": "reference/command-line.md"},
        {"Settings": "reference/settings.md"},
        {"Results": "reference/results.md"},
    ]
    nav += [{name: pages} for name, pages in packages.items()]
    config.nav = [*(config.nav or []), {"Reference": nav}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages.

    Args:
        files: What lies in docs/.
        config: MkDocs' settings.

    Returns:
        The files, with a page for each module, one for the command line and one for
        the results.
    """
    from mkdocs.structure.files import File

    pages = {page_of(name): module_page(name) for name in module_names()}
    pages["reference/command-line.md"] = command_line_page()
    pages["reference/settings.md"] = settings_page()
    pages["reference/results.md"] = results_page()
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def module_names() -> list[str]:
    """List the public modules, packages before what they hold."""
    found = sorted((ROOT / "pixsent_tf").rglob("*.py"))
    names = []
    for path in found:
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in parts):
            names.append(".".join(parts))
    return sorted(names)


def is_package(name: str) -> bool:
    """Say whether a module is a folder."""
    return (ROOT / name.replace(".", "/")).is_dir()


def page_of(name: str) -> str:
    """Name the page of a module."""
    folder = "reference/" + name.replace(".", "/")
    return f"{folder}/index.md" if is_package(name) else f"{folder}.md"


def module_page(name: str) -> str:
    """Give the page of a module, which mkdocstrings fills."""
    return f"# `{name}`\n\n::: {name}\n"


def command_line_page() -> str:
    """Give the page of the command line: each verb as its `--help` prints it."""
    root = click.Context(
        cli,
        info_name="pixsent-tf",
        max_content_width=HELP_WIDTH,
        **cli.context_settings,
    )
    parts = ["# Command line", _help(cli, root)]
    for verb in cli.list_commands(root):
        command = cli.get_command(root, verb)
        context = click.Context(command, info_name=verb, parent=root)
        parts += [f"## {verb}", _help(command, context)]
    return "\n\n".join(parts) + "\n"


def _help(command: click.Command, context: click.Context) -> str:
    return f"```text\n{command.get_help(context)}\n```"


def settings_page() -> str:
    """Give the page of the settings: what each may be, and what uses it."""
    rows = [
        f"| `{name}` | {_code(FLAGS.get(name))} | `{value_of(Recipe(), name)!r}` "
        f"| {kind_of_setting(name)} | {_use(name)} |"
        for name in setting_names()
    ]
    return "\n".join([SETTINGS_HEAD, *rows, SETTINGS_FOOT])


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _use(name: str) -> str:
    needed = USES[name]
    if needed is None:
        return "always"
    word = needed.setting.rpartition(".")[2]
    return f"{word} {', '.join(map(str, needed.values))}"


@dataclass(frozen=True)
class Definition:
    """What a class of `pixsent_tf.results` defines.

    Attributes:
        text: Its docstring.
        bases: Names of the classes that it adds to.
        keys: Type and meaning by key, its own only.
    """

    text: str
    bases: tuple[str, ...]
    keys: dict[str, tuple[str, str]]


def read_definitions() -> dict[str, Definition]:
    """Read every class of `pixsent_tf.results`, in the order of the files."""
    found = {}
    for path in sorted((ROOT / "pixsent_tf/results").glob("*.py")):
        source = path.read_text("utf-8")
        lines = source.splitlines()
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef):
                keys = {
                    field.target.id: (
                        _type(field.annotation),
                        lines[field.lineno - 1].partition("  # ")[2],
                    )
                    for field in node.body
                    if isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                }
                bases = tuple(ast.unparse(base) for base in node.bases)
                text = ast.get_docstring(node) or ""
                found[node.name] = Definition(text, bases, keys)
    return found


def all_keys(name: str, found: dict[str, Definition]) -> dict[str, tuple[str, str]]:
    """Give the keys of a class, those that it inherits first."""
    keys = {}
    for base in found[name].bases:
        keys |= all_keys(base, found) if base in found else {}
    return keys | found[name].keys


def results_page() -> str:
    """Give the page of what `--json` prints: each verb, then what it refers to."""
    found = read_definitions()
    parts = [
        "# Results",
        "What `--json` prints and `results.json` holds, key by key. An interval holds "
        "the lower and the upper bound at 95 %; a share is 0…1.",
    ]
    told: set[str] = set()
    for verb, kinds in VERBS.items():
        parts.append(f"## {verb}")
        for kind in kinds:
            parts += _section(kind.__name__, found)
            told.add(kind.__name__)
    parts.append("## What they hold")
    bases = {base for one in found.values() for base in one.bases}
    keys = [key for one in found.values() for key in one.keys.values()]
    linked = " ".join(kind for kind, _ in keys)
    for name in found:
        is_part = name not in bases or f"(#{name.lower()})" in linked
        if is_part and name not in told:
            parts += [f"### {name}", *_section(name, found)]
    return "\n\n".join(parts) + "\n"


def _section(name: str, found: dict[str, Definition]) -> list[str]:
    rows = ["| key | type | |", "|---|---|---|"]
    for key, (kind, text) in all_keys(name, found).items():
        rows.append(f"| `{key}` | {kind} | {text} |")
    return [found[name].text, "\n".join(rows)]


def _type(node: ast.expr, *, many: bool = False) -> str:
    """Write a type as a reader of JSON knows it; definitions become links."""
    match node:
        case ast.BinOp(left=left, right=right):
            return f"{_type(left, many=many)} or {_type(right, many=many)}"
        case ast.Subscript(value=ast.Name(id="list"), slice=item):
            return f"list{'s' * many} of {_type(item, many=True)}"
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, item])):
            return f"{_type(item, many=True)} by name"
        case ast.Name(id=name) if name in PLAIN:
            return PLAIN[name][many]
        case ast.Name(id=name):
            return f"[{name}](#{name.lower()})"
    return "null"
