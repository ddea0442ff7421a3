"""How days and times are written in German."""

DATE_FORMAT = "j. F Y"
DATETIME_FORMAT = "j. M Y, H:i"
