import type { FieldProblem } from "../../api/problem";
import { fieldText } from "../../app/fieldText";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import type { Lack } from "./listDraft";

/** What to say beside each input; null where nothing is wrong. */
export interface LackTexts {
  readonly category: string | null;
  readonly label: string | null;
  readonly description: string | null;
  readonly expires: string | null;
  readonly list: string | null;
  readonly file: string | null;
  readonly column: string | null;
}

/** Returns in words what keeps a list from being sent, and what the service refused. */
export function useLackTexts(
  lacks: ReadonlySet<Lack>,
  problem: { readonly fields: readonly FieldProblem[] } | null,
  entries: number,
): LackTexts {
  const m = useMessages();
  const of = (lack: Lack, text: string) => (lacks.has(lack) ? text : null);
  return {
    category: of("category", m.data.missing) ?? fieldText(problem, "category", m),
    label: of("label", m.data.missing) ?? fieldText(problem, "label", m),
    description: fieldText(problem, "description", m),
    expires: of("expires", m.data.expiresPast) ?? fieldText(problem, "expiresAt", m),
    list:
      of("openids", m.data.openidsMissing) ??
      of("tooMany", m.data.tooMany(formatCount(entries))) ??
      of("nothingUsable", m.data.nothingUsable) ??
      of("replaceBlocked", m.data.replaceBlocked),
    file: of("file", m.data.fileMissing),
    column: of("column", m.data.missing),
  };
}
