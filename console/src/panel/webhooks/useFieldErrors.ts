import type { Problem } from "../../api/problem";
import { useMessages } from "./messages";

/** Returns a function that says what the service found wrong with an input, or with what is in it; null if nothing is. */
export function useFieldErrors(problem: Problem | null): (name: string) => string | null {
  const { webhooks } = useMessages();
  return (name) => {
    const found = (problem?.fields ?? []).filter(({ path }) => path.includes(name));
    const texts = found.map(({ code, message }) => webhooks.fieldProblem(name, code, message));
    return texts.length > 0 ? [...new Set(texts)].join(" ") : null;
  };
}
