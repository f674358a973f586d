# SPDX-License-Identifier: MIT
"""Dates as seconds since 2000-01-01 and back. Pure arithmetic, valid from 2000 to 2099."""

_DAYS = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)


def seconds(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Convert a date from 2000 to 2099 to seconds since 2000-01-01. Raises ValueError when there is no such date."""
    if not (2000 <= year < 2100 and 1 <= month <= 12 and 1 <= day <= 31 and hour < 24 and minute < 60 and second < 60):
        raise ValueError("no such time")
    years = year - 2000
    days = years * 365 + (years + 3) // 4 + _DAYS[month - 1] + day - 1
    if month > 2 and year % 4 == 0:
        days += 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second


def date(at: int) -> tuple:
    """Convert seconds since 2000-01-01 to (year, month, day, hour, minute, second)."""
    minutes, second = divmod(at, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    year = 2000 + days * 4 // 1461
    days -= (year - 2000) * 365 + (year - 2000 + 3) // 4
    leap = 1 if year % 4 == 0 else 0
    month = 12
    while days < _DAYS[month - 1] + (leap if month > 2 else 0):
        month -= 1
    days -= _DAYS[month - 1] + (leap if month > 2 else 0)
    return year, month, days + 1, hour, minute, second
