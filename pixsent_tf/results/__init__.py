"""What does each verb tell a program? The keys of `--json` and of `results.json`.

The one definition: studies return these, `--json` prints them, and the page of the
reference is made from the comments beside the keys. An interval holds the lower and the
upper bound at 95 %; a share is 0…1; null stands where a number is not known.
"""
