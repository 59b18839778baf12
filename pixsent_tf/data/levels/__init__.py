"""Pictures by how many annotators agree on them: a DeepSent folder and its votes."""
