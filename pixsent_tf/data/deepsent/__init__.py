"""DeepSent Twitter: its layout, its votes, and its builder."""
