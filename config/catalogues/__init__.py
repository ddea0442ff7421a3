"""Catalogues of translations (``locale/*/LC_MESSAGES/django.po``) without the programs of GNU gettext.

Django's own commands call xgettext and msgfmt, which a new machine does not have; Babel comes as a wheel. `make
messages` collects the texts of the code (extracting.py), `make lint` says what is wrong with a catalogue (checking.py),
and what runs is compiled when the service starts (compiling.py). docs/languages.md tells a translator what to do.
"""
