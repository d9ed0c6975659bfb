"""Read from Chromium's own trace how long the page was busy at a stretch, and for how long it showed no new frame."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

CATEGORIES: Final = ("benchmark", "devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel")
TASK: Final = "RunTask"
FRAME: Final = "PipelineReporter"
DROPPED: Final = "STATE_DROPPED"
SHOWN: Final = ("STATE_PRESENTED_ALL", "STATE_PRESENTED_PARTIAL")
RENDERER: Final = "CrRendererMain"


@dataclass(frozen=True, slots=True)
class Smoothness:
    """Hold the longest task of the page's main thread and the longest time without a frame that was due, in ms; how
    many frames were due, and how many of them were dropped.
    """

    longest_task: float
    longest_gap: float
    frames: int
    dropped: int


def smoothness(trace: bytes) -> Smoothness:
    """Read a trace of these categories. Raises ValueError where it has no page that did something."""
    events: list[dict[str, Any]] = json.loads(trace)["traceEvents"]
    tasks = [each for each in events if each["name"] == TASK and each.get("ph") == "X"]
    mains = {(each["pid"], each["tid"]) for each in events if each["args"].get("name") == RENDERER}
    busy = Counter((each["pid"], each["tid"]) for each in tasks if (each["pid"], each["tid"]) in mains)
    if not busy:
        raise ValueError("the trace has no task of a page")
    main, _ = busy.most_common(1)[0]
    longest = max(each["dur"] for each in tasks if (each["pid"], each["tid"]) == main)
    frames = sorted((each for each in events if _is_due(each, main[0])), key=lambda each: int(each["ts"]))
    if not frames:
        raise ValueError("the trace has no frame")
    dropped = [each for each in frames if _state(each) == DROPPED]
    return Smoothness(longest / 1000, _longest_gap(frames) / 1000, len(frames), len(dropped))


def _is_due(event: dict[str, Any], pid: int) -> bool:
    """Tell whether an event is of a frame that had something new to show."""
    return bool(
        event["name"] == FRAME and event["ph"] == "b" and event["pid"] == pid and _state(event) in (DROPPED, *SHOWN)
    )


def _state(event: dict[str, Any]) -> str:
    return str(event["args"].get("frame_reporter", {}).get("state"))


def _longest_gap(frames: list[dict[str, Any]]) -> float:
    """Return the longest time from the begin of a dropped frame to that of the next that was shown, in µs."""
    longest, began = 0.0, None
    for frame in frames:
        if _state(frame) == DROPPED:
            began = frame["ts"] if began is None else began
        elif began is not None:
            longest, began = max(longest, frame["ts"] - began), None
    return longest
