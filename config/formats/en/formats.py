"""How days and times are written in English: the day before the month, because nobody misreads that."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
