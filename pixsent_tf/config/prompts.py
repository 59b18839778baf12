"""Which words stand for which class?

a sad picture,a happy picture                      a class each, called by its words
negative=a sad picture,positive=a happy picture    a class each, with a name
negative=sad|gloomy,positive=happy|cheerful        several prompts a class
prompts.json                                       {"negative": ["sad", "gloomy"], ...}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pixsent_tf.errors import ConfigError, shown

SUFFIX = ".json"
Prompts = dict[str, tuple[str, ...]]


def read_prompts(text: str) -> Prompts:
    """Read the prompts of each class.

    Args:
        text: Of a form that the module's top shows.

    Returns:
        Prompts by the name of their class, in order; at least two classes.

    Raises:
        ConfigError: If it has another form, or the file cannot be read.
    """
    if text.endswith(SUFFIX):
        return _checked(text, _read(Path(text)))
    parts = [part.partition("=") for part in text.split(",")]
    pairs = [(first, second if equals else first) for first, equals, second in parts]
    names = [name.strip() for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ConfigError(f"Words {text!r} name a class twice.")
    return _checked(text, {name.strip(): prompts.split("|") for name, prompts in pairs})


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"Words cannot be read from {shown(path)}: {' '.join(str(error).split())}."
        ) from error


def _checked(text: str, found: Any) -> Prompts:
    if not isinstance(found, Mapping) or len(found) < 2:
        raise ConfigError(
            f"Words {text!r} are of fewer than two classes; write them as in "
            f"'a sad picture,a happy picture', or name a {SUFFIX} file."
        )
    prompts = {}
    for name, said in found.items():
        said = [said] if isinstance(said, str) else said
        is_list = isinstance(said, Sequence) and all(isinstance(x, str) for x in said)
        kept = tuple(x.strip() for x in said if x.strip()) if is_list else ()
        if not kept or not name:
            raise ConfigError(
                f"Words {text!r} have nothing to say of the class {name!r}."
            )
        prompts[str(name)] = kept
    return prompts
