"""Which results does each verb print? For those who look at all verbs at once."""

from __future__ import annotations

from pixsent_tf.results.adaptations import AdaptResults, RatingAdaptResults
from pixsent_tf.results.answers import CompareResults, PredictRow, ScoreResults
from pixsent_tf.results.audits import AuditResults, RunAuditResults
from pixsent_tf.results.files import (
    DoctorResults,
    FileResults,
    InspectResults,
    SavedModelResults,
)
from pixsent_tf.results.labels import LabelResults
from pixsent_tf.results.looks import (
    FeaturesResults,
    MapCheckResults,
    MapsResults,
    ProbeResults,
)
from pixsent_tf.results.paper import ReproduceResults
from pixsent_tf.results.ratings import (
    RatedRowTold,
    RatingCompareResults,
    RatingCrossvalResults,
    RatingEvaluateResults,
    RatingStudyResults,
    RatingTuneResults,
)
from pixsent_tf.results.shares import ShareResults
from pixsent_tf.results.studies import (
    CrossvalResults,
    EvaluateResults,
    FitResults,
    TuneResults,
)

VERBS: dict[str, tuple[type, ...]] = {
    "fit": (FitResults, RatingStudyResults),
    "crossval": (CrossvalResults, RatingCrossvalResults),
    "tune": (TuneResults, RatingTuneResults),
    "evaluate": (EvaluateResults, RatingEvaluateResults),
    "compare": (CompareResults, RatingCompareResults),
    "predict": (PredictRow, RatedRowTold),
    "adapt": (AdaptResults, RatingAdaptResults),
    "score": (ScoreResults,),
    "label": (LabelResults,),
    "share": (ShareResults,),
    "maps": (MapsResults, MapCheckResults),
    "features": (FeaturesResults,),
    "probe": (ProbeResults,),
    "reproduce": (ReproduceResults,),
    "audit": (AuditResults, RunAuditResults),
    "export": (SavedModelResults, FileResults),
    "inspect": (InspectResults,),
    "doctor": (DoctorResults,),
}
