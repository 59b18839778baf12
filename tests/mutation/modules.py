"""Whose mistakes would go unseen, and which tests are to notice them?"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SURVEYED = """
evaluation: annotators by_source calibration compare conformal distributions intervals
  metrics raters ratings reliability sampling share suspects
data: augment balance copies.alignment copies.alike copies.audit copies.digests
  copies.duplicates crops decode.guard decode.orientation joint levels.agreement
  levels.votes preprocess splits table
studies: search.scorer search.settings search.shared_learners search.trials
  provenance.decisions provenance.witness shares.label_tables folds outcome suspects
  subjects adapt compare probe
inference: kept_rows pairing polarity predictions thresholds feature_cache sweep rated
  light
analysis: activations cells faithfulness maps map_checks units
training: inner logistic ridge rates optimizers callbacks checkpoints calibrated blended
  ensemble adapting descent distribution heads views
models: layers caffenet surgery weights frontier output rounding
serving: job scorecard scored_export scorer signature tflite
"""
# Modules whose tests do not stand in a file of their own name.
ELSEWHERE = {
    "serving.signature": "tests/serving/test_saved_model.py",
    "training.views": "tests/training/test_fixed_views.py",
}


def surveyed() -> list[str]:
    """Name the modules, in the order in which they are tried."""
    names, package = [], ""
    for word in SURVEYED.split():
        if word.endswith(":"):
            package = word[:-1]
        else:
            names.append(f"{package}.{word}")
    return names


def find_tests(module: str) -> str:
    """Give the file of tests that mirrors a module."""
    *folders, name = module.split(".")
    mirror = ELSEWHERE.get(module) or str(Path("tests", *folders, f"test_{name}.py"))
    if not (ROOT / mirror).is_file():
        raise SystemExit(f"{mirror} does not exist; name the tests with --tests.")
    return mirror


def path_of(module: str) -> Path:
    """Give the file of a module."""
    return ROOT / "pixsent_tf" / (module.replace(".", "/") + ".py")
