"""A trained model that looks at pictures."""
