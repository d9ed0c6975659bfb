"""Keep the drafts of articles, each of which the first successful mass send uses up."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Draft:
    """Hold the articles of a draft as they were given."""

    articles: list[dict[str, Any]]
    at: datetime


@dataclass(slots=True)
class DraftBook:
    """Hold drafts by media id."""

    drafts: dict[str, Draft] = field(default_factory=dict)

    def add(self, articles: list[dict[str, Any]], at: datetime) -> str:
        """Keep a draft and return its media id."""
        media_id = secrets.token_urlsafe(32)
        self.drafts[media_id] = Draft(articles, at)
        return media_id
