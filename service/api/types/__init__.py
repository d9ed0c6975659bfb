"""Object types. They refer to each other in circles, so they share one room."""

# First of all: Strawberry has to know an enum's description before a type uses the enum.
from service.api.types import enums as enums
