"""From a file to upright RGB pixels."""
