"""Where images come from: one module for each kind of source.

A source yields what it finds, one after another, and touches no table and no pixel. `ratings.services.importing`
decodes and stores. A source that knows beforehand that something cannot be imported yields a `Refusal` in its
place, so that nothing is left out in silence.
"""
