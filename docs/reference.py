"""Which pages does the documentation get from the package itself?

MkDocs calls this module while it builds: one page for each module, from its docstrings,
and one for the command line, from its `--help`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pixsent_tf.cli import cli

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]
HELP_WIDTH = 88


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
    nav: list[Any] = [{"Command line": "reference/command-line.md"}]
    nav += [{name: pages} for name, pages in packages.items()]
    config.nav = [*(config.nav or []), {"Reference": nav}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages.

    Args:
        files: What lies in docs/.
        config: MkDocs' settings.

    Returns:
        The files, with a page for each module and one for the command line.
    """
    from mkdocs.structure.files import File

    pages = {page_of(name): module_page(name) for name in module_names()}
    pages["reference/command-line.md"] = command_line_page()
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
