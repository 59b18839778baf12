"""What does `label` tell?"""

from __future__ import annotations

from typing import TypedDict


class Annotated(TypedDict):
    """What one annotator did."""

    annotator: str  # their name
    num_labels: int  # pictures that they labelled
    num_skipped: int  # pictures that they skipped
    median_seconds: float  # how long they looked at a picture


class Agreement(TypedDict):
    """How far annotators agree; what was skipped is left out."""

    num_shared: int  # pictures with two labels or more
    all_agree: float  # share of these on which all say the same
    cohen_kappa: float | None  # beyond chance, of two; null with more annotators
    krippendorff_alpha: float | None  # beyond chance, of any number of annotators
    ceiling: float | None  # how often one gives the label that the others vote for


class LabelResults(TypedDict):
    """What `label` tells when the page is closed."""

    num_examples: int  # pictures in the sample
    population: int  # pictures that it was drawn from
    by: str  # "random", "uncertainty" or "diversity"
    blind: bool  # whether the model's answer was hidden
    left: int  # pictures that this annotator has not labelled yet
    annotators: list[Annotated]  # everybody in the table
    agreement: Agreement | None  # null where no picture has two labels
    sample: str  # the file that keeps the sample
    out: str  # the table
