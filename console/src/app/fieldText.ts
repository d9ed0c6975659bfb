import type { FieldProblem } from "../api/problem";
import type { Messages } from "../i18n/messages";

/** Returns what is wrong with the input of this name, as the service says; null if nothing is. */
export function fieldText(
  problem: { readonly fields: readonly FieldProblem[] } | null,
  name: string,
  m: Messages,
): string | null {
  const found = problem?.fields.find(({ path }) => path.includes(name));
  return found ? m.fields.text(found.code, found.message) : null;
}
