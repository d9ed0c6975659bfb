"""Say what acts are about, as entries of the audit log have it: without secrets, labels hidden."""

from typing import assert_never

from service.entities.audit import AuditValue, Hidden, ObjectRef
from service.entities.expressions import Expression, Operator
from service.entities.jobs import Job, JobKind
from service.entities.tags import Tag, TagKind


def channel_ref(channel_id: int) -> ObjectRef:
    """Name a channel."""
    return ObjectRef("Channel", (channel_id,))


def tag_ref(channel_id: int, tag_id: int) -> ObjectRef:
    """Name a tag of any kind."""
    return ObjectRef("Tag", (channel_id, tag_id))


def broadcast_ref(channel_id: int, job_id: int) -> ObjectRef:
    """Name a broadcast."""
    return ObjectRef(JobKind.BROADCAST.value, (channel_id, job_id))


def job_ref(job: Job) -> ObjectRef:
    """Name a job of any kind."""
    return ObjectRef(job.kind.value, (job.channel_id, job.job_id))


def tag_values(tag: Tag) -> dict[str, AuditValue]:
    """Return kind, names and description of a tag; of a return tag an integrator wrote them, perhaps about a person."""
    description: AuditValue = tag.description
    if tag.description and tag.kind is TagKind.RETURN:
        description = Hidden("description", tag.description)
    return {
        "kind": tag.kind,
        "category": tag.category,
        "name": label_of(tag, tag.name),
        "description": description,
    }


def label_of(tag: Tag, name: str) -> AuditValue:
    """Return a name of a tag, hidden where it is the label that an integrator gave."""
    return Hidden("label", name) if tag.kind is TagKind.RETURN else name


def expression_value(channel_id: int, expression: Expression) -> AuditValue:
    """Return an expression over tags of a channel as the API takes it."""
    operands = [expression_value(channel_id, each) for each in expression.operands]
    match expression.operator:
        case Operator.TAG:
            return {"tag": tag_ref(channel_id, expression.tag_id)}
        case Operator.FOLLOWERS:
            return {"followers": True}
        case Operator.RECEIVED:
            return {"received": broadcast_ref(channel_id, expression.job_id)}
        case Operator.ALL:
            return {"all": operands}
        case Operator.ANY:
            return {"any": operands}
        case Operator.EXCEPT:
            return {"except": {"from": operands[0], "remove": operands[1]}}
        case _:
            assert_never(expression.operator)
