"""A folder in the layout of DeepSent, drawn, small, and unlike the real one."""

from __future__ import annotations

from pathlib import Path

from torture import picture

# Pictures that five, four and three annotators agree on; even numbers are positive.
COUNTS = {"five_agrees": 20, "four_agrees": 26, "three_agrees": 32}


def name_of(number: int) -> str:
    """Name a picture like the real ones, whose parts may hold `_` and `-`."""
    return f"{1000 + number}_46_B-{number:02}_x.jpg"


def label_of(number: int) -> int:
    return int(number % 2 == 0)


def fold_of(number: int) -> int:
    """Published folds of five; the last picture is in none."""
    return 0 if number == 31 else number % 5 + 1


def write_deepsent(
    root: Path, images: str = "images", *, folds: bool = True, copies: bool = False
) -> Path:
    """Write 32 pictures and their lists.

    Args:
        root: The folder; made if it does not exist.
        images: Folder of the pictures.
        folds: Whether to publish folds.
        copies: Whether picture 1 is written again as pictures 3 and 30.

    Returns:
        The folder.
    """
    (root / images).mkdir(parents=True, exist_ok=True)
    for number in range(COUNTS["three_agrees"]):
        seed = 1 if copies and number in (3, 30) else number
        picture(seed=seed).save(root / images / name_of(number), quality=90)
    for level, count in COUNTS.items():
        write_list(root / f"twitter_{level}.txt", range(count))
        for fold in range(1, 6) if folds else ():
            folder = root / "ground_truth" / level / f"test{fold}"
            folder.mkdir(parents=True)
            write_list(
                folder / "test.txt", [n for n in range(count) if fold_of(n) == fold]
            )
    return root


def write_list(path: Path, numbers) -> None:
    lines = [f"{name_of(number)} {label_of(number)}" for number in numbers]
    path.write_text("\n".join(lines) + "\n", "utf-8")
