import { wholeSecond } from "../looking/instants";

export const FLOW_SPANS = ["day", "week", "month"] as const;
export type FlowSpan = (typeof FLOW_SPANS)[number];

const DAY = 86_400_000;
const LONG: Record<FlowSpan, number> = { day: DAY, week: 7 * DAY, month: 30 * DAY };

/** Returns the instant (UTC) a span before `now`; never a moment earlier, which may be longer ago than is known. */
export function flowStart(span: FlowSpan, now: number): string {
  return wholeSecond(now - LONG[span]);
}
