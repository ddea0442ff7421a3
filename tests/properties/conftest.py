"""How properties are tried: so often that a run stays short, and without a limit of time that a busy machine breaks."""

from hypothesis import settings

settings.register_profile("kudoscope", deadline=None, max_examples=50, print_blob=True)
settings.load_profile("kudoscope")
