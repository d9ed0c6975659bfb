import { useMemo } from "preact/hooks";
import type { TagExpressionInput } from "../../api/generated/graphql";
import { isFinished, toInput } from "./conversion";
import { countablePart } from "./countable";
import { countableNodes } from "./countableNodes";
import type { Counted } from "./countKeeper";
import { type KnownNodes, useKnownNodes } from "./knownNodes";
import type { Tree } from "./tree";
import { useCounts } from "./useCounts";

/** What is known of the people of an expression. */
export interface AudienceOf extends Counted {
  /** What can be asked for: what is chosen so far; null while that is nobody, or cannot be counted. */
  readonly input: TagExpressionInput | null;
  /** Whether nothing is left to choose. */
  readonly finished: boolean;
  readonly known: KnownNodes;
}

/** Counts the people of an expression, together with the editor that shows it. */
export function useAudience(channel: string, tree: Tree): AudienceOf {
  const known = useKnownNodes(tree);
  const root = useMemo(() => countableNodes(tree, known).filter((node) => node === tree), [tree, known]);
  const counted = useCounts(channel, root)(tree);
  const isCountable = root.length > 0;
  const input = useMemo(() => {
    const part = isCountable ? countablePart(tree) : null;
    return part && toInput(part);
  }, [tree, isCountable]);
  return { ...counted, input, finished: isFinished(tree), known };
}
