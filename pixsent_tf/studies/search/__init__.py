"""Which settings are best? Everything of `pixsent-tf tune`."""
