"""How do pictures and labels come in? Files, decoding, folds, pipelines."""
