"""Describe broadcasts: messages to everybody in an audience.

Source: docs/specification.md §6.3.
"""

from enum import StrEnum


class MessageKind(StrEnum):
    """Name the kinds of messages; the first three are sent to many people by one call."""

    MASS_TEXT = "MASS_TEXT"
    MASS_IMAGE = "MASS_IMAGE"
    MASS_ARTICLE = "MASS_ARTICLE"
    TEMPLATE = "TEMPLATE"
    CUSTOMER_SERVICE_TEXT = "CUSTOMER_SERVICE_TEXT"
    SERVICE_SUBSCRIPTION = "SERVICE_SUBSCRIPTION"
    MINI_PROGRAM_SUBSCRIPTION = "MINI_PROGRAM_SUBSCRIPTION"
