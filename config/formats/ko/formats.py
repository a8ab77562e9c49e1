"""Dates and times as Koreans write them, where Django's own put the half of the day behind the clock: 12:53 오전."""

DATETIME_FORMAT = "Y년 n월 j일 A g:i"
