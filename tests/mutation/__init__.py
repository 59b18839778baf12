"""Would the tests notice if a line were wrong? Break it on purpose and see.

`python -m tests.mutation --module evaluation.compare` changes one place of the module
at a time, runs the tests that mirror it, and tells which changes they did not notice.
What is known to change nothing stands in `known.json` with the reason.
"""
