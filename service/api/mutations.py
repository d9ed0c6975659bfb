"""The mutations, put together from the features that have some."""

import strawberry

from service.api.binding import BindingMutations
from service.api.combo_tags import ComboTagMutations
from service.api.events import EventMutations
from service.api.exports import ExportMutations
from service.api.jobs import JobMutations
from service.api.tag_edits import TagEditMutations


@strawberry.type(description="What can be changed. A refused request changes nothing.")
class Mutation(BindingMutations, ComboTagMutations, EventMutations, ExportMutations, JobMutations, TagEditMutations):
    pass
