"""Find the messages of results that came before the answers, and ask for results that did not come.

Source: docs/specification.md §6.6.
"""

from typing import Any

from service.domain.broadcasts.results.matching import channels_to_match, match_again
from service.domain.broadcasts.results.polling import ask_for_results, channels_with_overdue_results
from service.domain.broadcasts.sending.settling import mark_all_lost_calls
from service.domain.runtime import Runtime
from service.worker.each_channel import for_each_channel


async def match_message_results(ctx: dict[str, Any]) -> None:
    """Write results to messages that were not known yet when those were pushed, also where a worker was lost."""
    runtime: Runtime = ctx["runtime"]
    await mark_all_lost_calls(runtime)
    channels = await channels_to_match(runtime)
    await for_each_channel(
        runtime, lambda channel: match_again(runtime, channel.channel_id), "matching results", only=channels
    )


async def ask_for_message_results(ctx: dict[str, Any]) -> None:
    """Ask WeChat what became of mass messages of which it pushed no result."""
    runtime: Runtime = ctx["runtime"]
    channels = await channels_with_overdue_results(runtime)
    await for_each_channel(
        runtime, lambda channel: ask_for_results(runtime, channel), "asking for results", only=channels
    )
