"""The paper's tables, run again: everything of `pixsent-tf reproduce`."""
