import type { AuditRowFragment } from "../../api/generated/graphql";
import { formatCount } from "../../i18n/format";
import { fullName } from "../tags/words";
import type { Messages } from "./messages";
import { kindOfId, type Spoken, spokenOf } from "./targets";

/** What an entry says: who did (or tried) what, to what, and what else there is to it. */
export interface Sentence {
  readonly subject: string;
  readonly did: string;
  /** What it was done to; null where the verb says it all. */
  readonly object: Spoken | null;
  /** What stands after it, such as into which tag it was merged. */
  readonly rest: string;
}

/** Returns what was done, and what somebody tried to do, in words; of an act that these words do not know, by its name. */
export function verbsOf(action: string, m: Messages): readonly [string, string] {
  const known = Object.hasOwn(m.audit.actions, action) ? m.audit.actions[action] : undefined;
  return known ?? m.audit.otherAction(action);
}

/** Returns an entry as a sentence that people understand. */
export function sentenceOf(entry: AuditRowFragment, m: Messages): Sentence {
  const { subject, action, outcome, count, target, targetId } = entry;
  const [did, todo] = verbsOf(action, m);
  const times = count > 1 ? ` (${m.audit.times(formatCount(count))})` : "";
  if (outcome !== "DONE") {
    const tried = outcome === "DENIED" ? m.audit.denied(todo) : m.audit.failed(todo);
    return { subject, did: `${tried}${times}`, object: target && spokenOf(target, m), rest: "" };
  }
  const into =
    action === "mergeTag" && target && "mergedInto" in target && target.mergedInto
      ? `${m.audit.into} ${fullName(target.mergedInto)}`
      : "";
  return { subject, did, object: target ? spokenOf(target, m) : goneOf(targetId, m), rest: into };
}

function goneOf(targetId: string | null, m: Messages): Spoken | null {
  const kind = targetId && kindOfId(targetId);
  const name = kind && m.audit.gone[kind];
  return name ? { name, href: null } : null;
}

/** Returns a sentence as one text. */
export function textOf({ subject, did, object, rest }: Sentence): string {
  return [subject, did, object?.name, rest].filter(Boolean).join(" ");
}

/** Returns what an entry adds for people; what the service says in English is said in the reader's language. */
export function detailOf({ detail }: AuditRowFragment, m: Messages): string | null {
  return detail === "The link was opened." ? m.audit.linkOpened : detail;
}
