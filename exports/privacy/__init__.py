"""What makes a person unrecognisable in a release.

Pseudonyms (`pseudonyms`), names without contacts (`texts`), and cells large enough to hide in (`cells`); what a release
says of each rater (`raters`), and what is done to each column on its way out (`treatments`).
"""

from exports.privacy.pseudonyms import make_pseudonymiser
from exports.privacy.raters import GIVEN_UP, RaterBook
from exports.privacy.texts import client_name, uuid_text
from exports.privacy.treatments import Treat, make_treatments

__all__ = ["GIVEN_UP", "RaterBook", "Treat", "client_name", "make_pseudonymiser", "make_treatments", "uuid_text"]
