"""What does a training leave behind, and where?

    RUN/
      recipe.json        every setting
      environment.json   versions, device, command line of the first start
      pictures.csv       id, label, votes, group and sha256 of each picture
      decisions.json     digests of the pictures that trained and tested each fold
      history.csv        loss and accuracy by epoch (or by penalty)
      predictions.csv    id, fold, label, answer, prob of each class, status
      results.json       the numbers that were printed
      model.keras        uint8 pixels of any size -> probabilities, preprocessing inside
      folds/fold-K.json  what a finished fold found; it is not trained again (fit: 1)
      model-foldK.keras  the model that has not seen fold K

Files are written whole.
"""

from __future__ import annotations

import csv
import json
import os
import platform
import shlex
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixsent_tf import config
from pixsent_tf.errors import ConfigError, RunError
from pixsent_tf.machine import num_cores
from pixsent_tf.texts import read_object, read_table, read_text, understood
from pixsent_tf.version import VERSION
from pixsent_tf.whole import whole

if TYPE_CHECKING:
    from pixsent_tf.results.files import Environment

RECIPE = "recipe.json"
ENVIRONMENT = "environment.json"
STUDY = "study.json"  # what a study without a recipe is about
PACKAGES = ("tensorflow", "keras", "keras-tuner", "numpy", "pillow", "scikit-learn")


@dataclass(frozen=True)
class Run:
    """One run's folder.

    Attributes:
        path: The folder.
    """

    path: Path

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> Run:
        """Make the folder of a new run.

        Args:
            path: A folder that does not exist yet, or is empty but for hidden files,
                as a kill in the middle of writing leaves them.

        Returns:
            The run.

        Raises:
            RunError: If something is there already.
        """
        folder = Path(path)
        if folder.is_file() or (folder.is_dir() and any(_shown(folder))):
            raise RunError(f"{folder} exists already; name another folder with --out.")
        folder.mkdir(parents=True, exist_ok=True)
        return cls(folder)

    @classmethod
    def create_or_resume(
        cls, path: str | os.PathLike[str], recipe: config.Recipe
    ) -> Run:
        """Make the folder of a run, or go on with one that the same recipe began.

        Args:
            path: A folder that does not exist yet, is empty, or holds this recipe.
            recipe: What is about to be run.

        Returns:
            The run.

        Raises:
            RunError: If something else is there already; what differs is named.
        """
        run = cls(Path(path))
        if not (run.path / RECIPE).is_file():
            return cls.create(path)
        run.begin_recipe(recipe)
        return run

    @classmethod
    def begin(
        cls,
        path: str | os.PathLike[str],
        identity: Mapping[str, Any],
        **notes: Any,
    ) -> Run:
        """Make the folder of a study without a recipe, or go on with it.

        Args:
            path: A folder that does not exist yet, is empty, or holds this study.
            identity: What must not change when a study is gone on with; JSON can hold
                it.
            notes: What else `study.json` tells of this start.

        Returns:
            The run.

        Raises:
            RunError: If something else is there already.
        """
        identity = json.loads(json.dumps(identity, allow_nan=False))
        run = cls(Path(path))
        if (run.path / STUDY).is_file():
            with understood(run.path / STUDY, RunError):
                before = run.read_json(STUDY)["identity"]
                changed = [
                    f"{name}: {before.get(name)!r} there, {value!r} here"
                    for name, value in identity.items()
                    if before.get(name) != value
                ]
            if changed:
                raise RunError(
                    f"{path} holds a study that differs in {'; '.join(changed)}; name "
                    f"another folder with --out."
                )
        else:
            cls.create(path)
        run.write_json(STUDY, {"identity": identity, **notes})
        return run

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Run:
        """Open the folder of a finished run.

        Args:
            path: A folder that `create` made.

        Returns:
            The run.

        Raises:
            RunError: If the folder is missing or holds no recipe.
        """
        folder = Path(path)
        if not (folder / RECIPE).is_file():
            raise RunError(f"{folder} is no run folder: it holds no recipe.json.")
        return cls(folder)

    @property
    def model_path(self) -> Path:
        """Where the trained model is."""
        return self.path / "model.keras"

    def fold_model_path(self, fold: int) -> Path:
        """Say where the model is that has not seen a fold.

        Args:
            fold: Its number, from 1.

        Returns:
            The path; the file need not exist.
        """
        return self.path / f"model-fold{fold}.keras"

    def write_recipe(self, recipe: config.Recipe) -> None:
        """Write the recipe, and the environment it runs in.

        Args:
            recipe: What is about to be run.
        """
        write_text(self.path / RECIPE, config.to_json(recipe))
        self.write_json(ENVIRONMENT, environment())

    def begin_recipe(self, recipe: config.Recipe) -> None:
        """Write the recipe, or check that it is the one that began here.

        Args:
            recipe: What is about to be run.

        Raises:
            RunError: If another recipe began here; what differs is named.
        """
        if not (self.path / RECIPE).is_file():
            self.write_recipe(recipe)
            return
        changed = config.differences(self.read_recipe(), recipe)
        if changed:
            raise RunError(
                f"{self.path} exists already, and the recipe differs in "
                f"{'; '.join(changed)}; name another folder with --out."
            )

    def check_versions(self) -> None:
        """Refuse to go on with other versions than those that the run began with.

        Raises:
            RunError: If a package that decides numbers has another version.
        """
        with understood(self.path / ENVIRONMENT, RunError):
            before = self.read_json(ENVIRONMENT)["packages"]
            changed = [
                f"{name} {before.get(name)} there, {version} here"
                for name, version in environment()["packages"].items()
                if before.get(name) != version
            ]
        if changed:
            raise RunError(
                f"{self.path} was begun with other versions: {'; '.join(changed)}; "
                f"install those, or name another folder with --out."
            )

    def read_command(self) -> str:
        """Read how the run was started.

        Returns:
            The command line.

        Raises:
            RunError: If that is damaged.
        """
        with understood(self.path / ENVIRONMENT, RunError):
            return shlex.join(self.read_json(ENVIRONMENT)["command"])

    def read_recipe(self) -> config.Recipe:
        """Read the recipe.

        Returns:
            The recipe that made this run.

        Raises:
            RunError: If it is damaged.
        """
        path = self._existing(RECIPE)
        try:
            return config.from_json(read_text(path, RunError))
        except ConfigError as error:
            raise RunError(f"{path} is damaged: {error}") from error

    def write_json(self, name: str, values: Mapping[str, Any]) -> None:
        """Write a JSON file into the folder.

        Args:
            name: The file's name.
            values: What to write; no NaN.
        """
        text = json.dumps(values, indent=2, allow_nan=False)
        write_text(self.path / name, text + "\n")

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a JSON file of the folder.

        Args:
            name: The file's name.

        Returns:
            What it holds.

        Raises:
            RunError: If the run has no such file, or it is damaged.
        """
        return read_object(self._existing(name), RunError)

    def write_table(
        self, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Write a CSV file into the folder.

        Args:
            name: The file's name.
            columns: The header.
            rows: One sequence per line, as long as the header.
        """
        with (
            whole(self.path / name) as temporary,
            temporary.open(
                "w", encoding="utf-8", errors="backslashreplace", newline=""
            ) as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)

    def read_table(self, name: str) -> list[dict[str, str]]:
        """Read a CSV file of the folder.

        Args:
            name: The file's name.

        Returns:
            One dictionary per line, by column.

        Raises:
            RunError: If the run has no such file, or it is damaged.
        """
        return read_table(self._existing(name), RunError)[1]

    def _existing(self, name: str) -> Path:
        path = self.path / name
        if not path.is_file():
            raise RunError(
                f"{self.path} holds no {name}; the run did not get that far."
            )
        home = os.path.realpath(self.path)
        if os.path.commonpath([home, os.path.realpath(path)]) != home:
            raise RunError(
                f"{path} is a link that leads out of the run; nothing is read there."
            )
        return path


def next_folder(stem: str, parent: str | os.PathLike[str] = "runs") -> Path:
    """Name the next free folder, `runs/STEM-1`, `runs/STEM-2` and so on.

    Args:
        stem: What the folder is for.
        parent: The folder that holds the runs.

    Returns:
        A path at which nothing exists.
    """
    number = 1
    while (path := Path(parent) / f"{stem}-{number}").exists():
        number += 1
    return path


def cache_folder(*parts: str) -> Path:
    """Name a folder below the cache, `$PIXSENT_CACHE` or the user's own.

    Args:
        parts: Names below the cache.

    Returns:
        The folder; it need not exist. For whom there is no home, or none that can be
        written to, it is below the folder for temporary files.
    """
    base = os.environ.get("PIXSENT_CACHE")
    if base:
        return Path(base).joinpath(*parts)
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if _can_be_made(home):
        return Path(home, "pixsent-tf", *parts)
    return Path(tempfile.gettempdir(), f"pixsent-tf-{os.getuid()}", *parts)


def _can_be_made(folder: str) -> bool:
    """Tell whether a folder is there, or can be made, and be written to."""
    if not os.path.isabs(folder):  # "~" stays where nobody knows a home
        return False
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def environment() -> Environment:
    """Describe the machine and the versions, as `environment.json` records them.

    Returns:
        Versions; the command line is the one of this process.
    """
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": num_cores(),
        "packages": {
            "pixsent-tf": VERSION,
            **{name: metadata.version(name) for name in PACKAGES},
        },
        "command": ["pixsent-tf", *sys.argv[1:]],
    }


def _shown(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, or leave the old one as it was.

    Args:
        path: The file.
        text: Its content.
    """
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
