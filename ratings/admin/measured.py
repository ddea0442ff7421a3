"""What a page measured of an answer, as both answers' pages of the administration show it."""

from typing import Any

from django.utils.translation import gettext_lazy as _

MEASURED: tuple[Any, Any] = (
    _("As the page measured it"),
    {
        "fields": (
            "session_position",
            "is_before_training",
            "decode_ms",
            "first_input_ms",
            "answer_ms",
            "input_kind",
            "language",
            "displayed_width",
            "pixel_ratio",
            "is_dark",
            "is_zoomed",
            "session_id",
        )
    },
)
