import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import {
  BroadcastPreviewDocument,
  type BroadcastPreviewInput,
  type BroadcastPreviewQuery,
} from "../../../api/generated/graphql";
import { useQuery } from "../../../api/hooks";
import type { Problem } from "../../../api/problem";
import type { Draft } from "./draft";
import { previewOf } from "./inputs";

export type Preview = NonNullable<BroadcastPreviewQuery["broadcastPreview"]>;

export interface Previewed {
  /** The newest count; null until there is one, and kept while a newer one is on its way. */
  readonly preview: Preview | null;
  /** Whether the form says enough to be counted. */
  readonly possible: boolean;
  readonly counting: boolean;
  readonly problem: Problem | null;
  readonly again: () => void;
}

/** So long nothing is typed before it is counted. */
const PAUSE = 400;

/** Counts who would get what the form describes, each time it was changed. */
export function usePreview(draft: Draft, channel: string): Previewed {
  const wanted = useMemo(() => previewOf(draft, channel), [draft, channel]);
  const text = JSON.stringify(wanted);
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    if (text === settled) return;
    const timer = setTimeout(() => setSettled(text), PAUSE);
    return () => clearTimeout(timer);
  }, [text, settled]);
  const variables = useMemo(() => ({ input: JSON.parse(settled) as BroadcastPreviewInput }), [settled]);
  const asked = useQuery(BroadcastPreviewDocument, variables, { pause: settled === "null" });
  const last = useRef<Preview | null>(null);
  const answer = asked.data?.broadcastPreview;
  if (answer) last.current = answer;
  if (!wanted || asked.problem) last.current = null;
  return {
    preview: last.current,
    possible: wanted !== null,
    counting: wanted !== null && (asked.fetching || text !== settled),
    problem: wanted && asked.problem,
    again: asked.again,
  };
}

/** Returns how many people would be sent to now. */
export function wouldGetIt({ sendable, held }: Pick<Preview, "sendable" | "held">): number {
  return sendable - held.reduce((sum, { count }) => sum + count, 0);
}

/** Tells whether it would begin so much later than `now` that others may be reached by then. */
export function beginsLater({ earliestStart }: Pick<Preview, "earliestStart">, now: number): boolean {
  return Date.parse(earliestStart) > now + 60_000;
}
