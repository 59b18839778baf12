"""What does each verb tell a program? The keys of `--json` and of `results.json`.

The one definition: studies return these, `--json` prints them, and the page of the
reference is made from the comments beside the keys. An interval holds the lower and the
upper bound at 95 %; a share is 0…1; null stands where a number is not known.
"""

from __future__ import annotations

from pixsent_tf.results.answers import CompareResults, PredictRow, ScoreResults
from pixsent_tf.results.audits import AuditResults, RunAuditResults
from pixsent_tf.results.files import (
    DoctorResults,
    FileResults,
    InspectResults,
    SavedModelResults,
)
from pixsent_tf.results.looks import (
    FeaturesResults,
    MapCheckResults,
    MapsResults,
    ProbeResults,
)
from pixsent_tf.results.paper import ReproduceResults
from pixsent_tf.results.studies import (
    CrossvalResults,
    EvaluateResults,
    FitResults,
    TuneResults,
)

VERBS: dict[str, tuple[type, ...]] = {
    "fit": (FitResults,),
    "crossval": (CrossvalResults,),
    "tune": (TuneResults,),
    "evaluate": (EvaluateResults,),
    "compare": (CompareResults,),
    "predict": (PredictRow,),
    "score": (ScoreResults,),
    "maps": (MapsResults, MapCheckResults),
    "features": (FeaturesResults,),
    "probe": (ProbeResults,),
    "reproduce": (ReproduceResults,),
    "audit": (AuditResults, RunAuditResults),
    "export": (SavedModelResults, FileResults),
    "inspect": (InspectResults,),
    "doctor": (DoctorResults,),
}
