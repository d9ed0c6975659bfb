"""The mutations, put together from the features that have some."""

import strawberry

from service.api.binding import BindingMutations
from service.api.events import EventMutations
from service.api.exports import ExportMutations
from service.api.jobs import JobMutations


@strawberry.type(description="What can be changed. A refused request changes nothing.")
class Mutation(BindingMutations, EventMutations, ExportMutations, JobMutations):
    pass
