"""Licences are named by SPDX expressions, so that a researcher's tools can read them."""

import re

# The shape only: the list of identifiers grows with every release of SPDX, and anybody may add a LicenseRef.
_IDENTIFIER = r"\(*[A-Za-z0-9][A-Za-z0-9.+-]*\)*"
_EXPRESSION = re.compile(rf"{_IDENTIFIER}( (AND|OR|WITH) {_IDENTIFIER})*")


def is_spdx_expression(text: str) -> bool:
    """Tell `CC0-1.0` and `MIT OR Apache-2.0` from `free for research`."""
    return _EXPRESSION.fullmatch(text) is not None
