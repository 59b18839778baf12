"""Files that show one picture, and what they spoil."""
