"""The mutations, put together from the features that have some."""

import strawberry

from service.api.ad_tags import AdTagMutations
from service.api.binding import BindingMutations
from service.api.events import EventMutations
from service.api.forgetting import ForgettingMutations
from service.api.identities import IdentityMutations
from service.api.return_data import ReturnDataMutations
from service.api.return_endpoints import ReturnEndpointMutations


@strawberry.type(description="What can be changed. A refused request changes nothing.")
class Mutation(
    AdTagMutations,
    BindingMutations,
    EventMutations,
    ForgettingMutations,
    IdentityMutations,
    ReturnDataMutations,
    ReturnEndpointMutations,
):
    pass
