"""The mutations, put together from the features that have some."""

import strawberry

from service.api.ad_tags import AdTagMutations
from service.api.binding import BindingMutations
from service.api.combo_tags import ComboTagMutations
from service.api.events import EventMutations
from service.api.exports import ExportMutations
from service.api.forgetting import ForgettingMutations
from service.api.identities import IdentityMutations
from service.api.jobs import JobMutations
from service.api.return_data import ReturnDataMutations
from service.api.return_endpoints import ReturnEndpointMutations
from service.api.tag_edits import TagEditMutations


@strawberry.type(description="What can be changed. A refused request changes nothing.")
class Mutation(
    AdTagMutations,
    BindingMutations,
    ComboTagMutations,
    EventMutations,
    ExportMutations,
    ForgettingMutations,
    IdentityMutations,
    JobMutations,
    ReturnDataMutations,
    ReturnEndpointMutations,
    TagEditMutations,
):
    pass
