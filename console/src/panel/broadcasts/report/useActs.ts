import { useCallback, useState } from "preact/hooks";
import {
  ApproveBroadcastDocument,
  CancelBroadcastDocument,
  PauseBroadcastDocument,
  ResumeBroadcastDocument,
  RetryBroadcastDocument,
} from "../../../api/generated/graphql";
import { type Outcome, useMutation } from "../../../api/hooks";
import type { Problem } from "../../../api/problem";

export type Act = "approve" | "pause" | "resume" | "cancel" | "retryFailed" | "retryUncertain";

/** Offers what can be done with a broadcast; one at a time, and `problem` says why the last one was refused. */
export function useActs(id: string): {
  run: (act: Act) => Promise<boolean>;
  busy: Act | null;
  problem: Problem | null;
} {
  const [busy, setBusy] = useState<Act | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const { run: approve } = useMutation(ApproveBroadcastDocument);
  const { run: pause } = useMutation(PauseBroadcastDocument);
  const { run: resume } = useMutation(ResumeBroadcastDocument);
  const { run: cancel } = useMutation(CancelBroadcastDocument);
  const { run: retry } = useMutation(RetryBroadcastDocument);
  const run = useCallback(
    async (act: Act) => {
      const calls: Record<Act, () => Promise<Outcome<unknown>>> = {
        approve: () => approve({ id }),
        pause: () => pause({ id }),
        resume: () => resume({ id }),
        cancel: () => cancel({ id }),
        retryFailed: () => retry({ id, uncertain: false }),
        retryUncertain: () => retry({ id, uncertain: true }),
      };
      setBusy(act);
      const outcome = await calls[act]();
      setBusy(null);
      setProblem(outcome.problem);
      return outcome.problem === null;
    },
    [id, approve, pause, resume, cancel, retry],
  );
  return { run, busy, problem };
}
