import { useEffect } from "preact/hooks";
import { caughtUpAt } from "./connection";
import type { Problem, ProblemCode } from "./problem";

const PASSING: readonly ProblemCode[] = [
  "UNREACHABLE",
  "UNAUTHENTICATED",
  "RATE_LIMITED",
  "UPSTREAM",
  "INTERNAL",
];
const AGAIN_AFTER = 5_000;

/** Tells whether a problem says nothing about what was asked for, so that what is known of it still holds. */
export function isPassing(problem: Problem | null): boolean {
  return problem !== null && PASSING.includes(problem.code);
}

/** Asks again by itself while the service does not answer: soon, and at once when the line is there again. */
export function useAgain(problem: Problem | null, again: () => void): void {
  useEffect(() => {
    if (problem?.code !== "UNREACHABLE") return;
    // With a random part, so that not all pages come back in one moment.
    const timer = setTimeout(again, AGAIN_AFTER * (1 + Math.random()));
    addEventListener("online", again);
    const cameBackAt = caughtUpAt.peek();
    const unsubscribe = caughtUpAt.subscribe((at) => {
      if (at !== cameBackAt) again();
    });
    return () => {
      clearTimeout(timer);
      removeEventListener("online", again);
      unsubscribe();
    };
  }, [problem, again]);
}
