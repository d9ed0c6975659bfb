"""Keep the templates of an account, what was sent by them lately, and who accepted messages by them."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from service.dev.demo.wechat_api.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Describe a template with its fields, such as `thing1`; one of `subscription` messages needs people's consent."""

    id: str
    fields: tuple[str, ...]
    subscription: bool = False


@dataclass(slots=True)
class SentTemplate:
    """Hold when a template message was sent, and its id."""

    at: datetime
    msg_id: int


@dataclass(slots=True)
class TemplateBook:
    """Hold templates by id, and template messages by (openid, client id) as long as they are remembered."""

    limits: Limits
    templates: dict[str, Template] = field(default_factory=dict)
    sent: dict[tuple[str, str], SentTemplate] = field(default_factory=dict)

    def add(self, template_id: str, *fields: str, subscription: bool = False) -> Template:
        """Add a template, or replace it."""
        self.templates[template_id] = Template(id=template_id, fields=fields, subscription=subscription)
        return self.templates[template_id]

    def find(self, template_id: str, *, subscription: bool) -> Template | None:
        """Return a template of this kind."""
        found = self.templates.get(template_id)
        return None if found is None or found.subscription is not subscription else found

    def remember(self, openid: str, client_id: str, sent: SentTemplate) -> None:
        """Remember that somebody was sent a template message with this client id."""
        self.sent[openid, client_id] = sent

    def earlier(self, openid: str, client_id: str, now: datetime) -> SentTemplate | None:
        """Return what somebody was sent with this client id, None if that is forgotten."""
        found = self.sent.get((openid, client_id))
        if found is None or now - found.at >= self.limits.template_client_ids_kept:
            return None
        return found


class ConsentBook:
    """Hold how many subscription messages somebody accepted and has not got yet, by template."""

    def __init__(self) -> None:
        self.left: Counter[tuple[str, str]] = Counter()

    def accept(self, openid: str, template_id: str, times: int = 1) -> None:
        """Let somebody accept so many messages more."""
        self.left[openid, template_id] += times

    def reject(self, openid: str, template_id: str) -> None:
        """Let somebody refuse messages, those accepted before too."""
        self.left.pop((openid, template_id), None)

    def has(self, openid: str, template_id: str) -> bool:
        """Say whether somebody accepts a message."""
        return self.left[openid, template_id] > 0

    def use(self, openid: str, template_id: str) -> None:
        """Use up one acceptance."""
        self.left[openid, template_id] -= 1
