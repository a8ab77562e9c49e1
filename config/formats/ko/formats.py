"""Dates and times as Koreans write them, where Django's own put the half of the day behind the clock: 12:53 오전."""

DATETIME_FORMAT = "Y년 n월 j일 A g:i"
SHORT_DATETIME_FORMAT = "Y-m-d H:i"  # each as wide as the next in a column, and as elsewhere
