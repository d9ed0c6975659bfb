import { useMemo } from "preact/hooks";
import type { Problem } from "../../../api/problem";
import { useMessages } from "../../../i18n/messages";

/** Returns what is wrong with the input at a path such as "repeat.at", or with anything below it; null if nothing is. */
export type ErrorAt = (path: string) => string | null;

/** Returns a function that says what the service found wrong with each input; the argument's name is left out of paths. */
export function useFieldErrors(problem: Problem | null): ErrorAt {
  const m = useMessages();
  return useMemo(() => {
    const found = (problem?.fields ?? []).map(({ path, code, message }) => ({
      path: path.filter((step) => step !== "input").join("."),
      text: m.broadcasts.fieldProblem(code, message),
    }));
    return (path) => {
      const texts = found.filter((each) => each.path === path || each.path.startsWith(`${path}.`));
      return texts.length > 0 ? [...new Set(texts.map(({ text }) => text))].join(" ") : null;
    };
  }, [problem, m]);
}
