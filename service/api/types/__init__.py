"""Object types. They refer to each other in circles, so they share one room.

The enums come first: Strawberry has to know an enum's description before a type uses it.
"""

from service.api.types import enums as enums
