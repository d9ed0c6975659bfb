import { useCallback, useEffect, useState } from "preact/hooks";
import type { Draft } from "./draft";
import { forgetDraft, keepDraft, keptDraft } from "./draftStore";

export interface Editing {
  readonly draft: Draft;
  /** Whether it is what somebody typed before the page was loaded. */
  readonly restored: boolean;
  readonly change: (change: Partial<Draft>) => void;
  /** Gives up what was typed. */
  readonly startOver: () => void;
  /** Forgets what was kept, once it was sent. */
  readonly forget: () => void;
}

/** Holds the form that is kept under a name, or `begin` where none is. What is typed outlives the page. */
export function useDraft(name: string, begin: () => Draft): Editing {
  const [state, setState] = useState(() => {
    const kept = keptDraft(name);
    return { draft: kept ?? begin(), restored: kept !== null, touched: false };
  });
  useEffect(() => {
    if (state.touched) keepDraft(name, state.draft);
  }, [name, state]);
  const change = useCallback((change: Partial<Draft>) => {
    setState(({ draft, restored }) => ({ draft: { ...draft, ...change }, restored, touched: true }));
  }, []);
  const forget = useCallback(() => forgetDraft(name), [name]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what to begin with is what it was at first
  const startOver = useCallback(() => {
    forget();
    setState({ draft: begin(), restored: false, touched: false });
  }, [forget]);
  return { draft: state.draft, restored: state.restored, change, startOver, forget };
}
