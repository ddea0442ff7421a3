"""How answers come about, measured: one file for each kind of signal.

Each takes arrays and returns a `Measured`: for each rater a number, how much evidence it is that they do not look, and
how to say it. None of it bans; moderators see it beside what the answers themselves say.
"""
