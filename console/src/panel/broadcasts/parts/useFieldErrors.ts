import { useMemo } from "preact/hooks";
import type { Problem } from "../../../api/problem";
import { useMessages } from "../messages";

/** Returns what is wrong with the input at a path such as "repeat.at", or below it unless `only`; null if nothing is. */
export type ErrorAt = (path: string, only?: "itself") => string | null;

/**
 * Returns a function that says what the service found wrong with each input, by the first of some problems that names it.
 * The name of the argument is left out of paths.
 */
export function useFieldErrors(...problems: readonly (Problem | null)[]): ErrorAt {
  const m = useMessages();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the list is made anew each time, the problems in it are not
  return useMemo(() => {
    const found = problems.flatMap((problem) =>
      (problem?.fields ?? []).map(({ path, code, message }) => ({
        path: path.filter((step) => step !== "input").join("."),
        text: m.broadcasts.fieldProblem(code, message),
      })),
    );
    return (path, only) => {
      const isThere = (each: { path: string }) =>
        each.path === path || (!only && each.path.startsWith(`${path}.`));
      const texts = found.filter(isThere).map(({ text }) => text);
      return texts.length > 0 ? [...new Set(texts)].join(" ") : null;
    };
  }, [...problems, m]);
}
