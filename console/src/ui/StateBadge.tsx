import type { ComponentChildren } from "preact";
import { classes } from "./classes";
import styles from "./StateBadge.module.css";

type TagState = "PENDING" | "ACTIVE" | "LAPSED";
type JobState =
  | "QUEUED"
  | "WAITING"
  | "WAITING_FOR_APPROVAL"
  | "RUNNING"
  | "PAUSED"
  | "DONE"
  | "FAILED"
  | "CANCELLED";
export type Tone = "neutral" | "informative" | "positive" | "caution" | "negative";
type Line = "solid" | "dashed" | "dotted";

const LOOKS: Record<TagState | JobState, readonly [Tone, Line]> = {
  PENDING: ["informative", "dashed"],
  ACTIVE: ["positive", "solid"],
  LAPSED: ["negative", "dotted"],
  QUEUED: ["neutral", "dashed"],
  WAITING: ["caution", "dashed"],
  WAITING_FOR_APPROVAL: ["caution", "dashed"],
  RUNNING: ["informative", "solid"],
  PAUSED: ["caution", "dotted"],
  DONE: ["positive", "solid"],
  FAILED: ["negative", "dotted"],
  CANCELLED: ["neutral", "dotted"],
};

type StateBadgeProps = { children: ComponentChildren } & (
  | { state: TagState | JobState }
  | { tone: Tone; line?: Line }
);

/** Shows a state by its word, its colour and its line, so that no one of them is needed. */
export function StateBadge(props: StateBadgeProps) {
  const [tone, line] = "state" in props ? LOOKS[props.state] : [props.tone, props.line ?? "solid"];
  return <span class={classes(styles.badge, styles[tone], styles[line])}>{props.children}</span>;
}
