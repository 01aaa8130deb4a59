"""Dates and times as the back office and the messages to members write them: 5 Jun 2026, 17:30."""

from django.conf import settings

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATE_FORMAT = "j M Y"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
# Django's own formats of a language go before the setting, so the club's week is said here again.
FIRST_DAY_OF_WEEK = settings.FIRST_DAY_OF_WEEK
