"""Show entities as GraphQL objects. The types refer to each other in circles, so they share one package."""

# First of all: Strawberry has to know an enum's description before a type uses the enum.
from service.api.types import enums as enums
