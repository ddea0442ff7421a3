"""The mathematics of the quality engine: pure NumPy, no Django, no clock, no dice. docs/quality.md explains it."""
