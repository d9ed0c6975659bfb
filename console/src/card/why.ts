import type { PersonTagFragment } from "../api/generated/graphql";
import type { Messages } from "../i18n/messages";

const LISTED = 5;

interface Words {
  readonly m: Messages["card"];
  /** Writes an instant (RFC 3339) as date and time. */
  readonly instant: (at: string) => string;
  /** Joins texts as a list. */
  readonly list: (texts: readonly string[]) => string;
}

/**
 * Says why a person has a tag, in the language and the time zone of whoever reads it. The service's own sentence, which is
 * in English, stands in where there is no evidence to tell of.
 */
export function reasonOf({ tag, evidence, why, until }: PersonTagFragment, words: Words): string {
  switch (evidence?.__typename) {
    case "FactEvidence":
      return reasonOfFact(tag.__typename === "DefaultTag" ? tag.rule : null, evidence, until, words) ?? why;
    case "AdEvidence":
      return reasonOfAds(evidence, words) || why;
    case "ReturnEvidence":
      return reasonOfReceipts(evidence.receipts ?? [], words) || why;
    case "ComboEvidence":
      return reasonOfCombo(evidence, words) || why;
    default:
      return why;
  }
}

type Evidence<Name> = Extract<NonNullable<PersonTagFragment["evidence"]>, { __typename: Name }>;
type Rule = Extract<PersonTagFragment["tag"], { __typename: "DefaultTag" }>["rule"];

function reasonOfFact(
  rule: Rule | null,
  { fact, at }: Evidence<"FactEvidence">,
  until: string | null,
  { m, instant }: Words,
): string | null {
  if (fact === null || at === null) return rule && m.rules[rule];
  if (rule === "OLD_USER") return m.longFollower(instant(at));
  const did = m.did[fact](instant(at));
  return rule === "TOUCHABLE" && until !== null ? m.touchableUntil(did, instant(until)) : did;
}

function reasonOfAds({ adIds, at }: Evidence<"AdEvidence">, { m, instant, list }: Words): string {
  const told = at === null ? [] : [m.did.FOLLOW(instant(at))];
  return [...told, ...(adIds.length > 0 ? [m.ads(list(adIds.slice(-LISTED)))] : [])].join(" ");
}

function reasonOfReceipts(
  receipts: NonNullable<Evidence<"ReturnEvidence">["receipts"]>,
  { m, instant }: Words,
): string {
  const last = receipts.at(-1);
  if (!last) return "";
  const when = instant(last.at);
  const told =
    last.source === "OFFICIAL_ACCOUNT" ? m.fromOfficialAccount(when) : m.returned(when, last.subject);
  return receipts.length === 1 ? told : `${told} ${m.moreLists(receipts.length - 1)}`;
}

function reasonOfCombo({ has, lacks }: Evidence<"ComboEvidence">, { m, list }: Words): string {
  const names = (tags: readonly { readonly name: string }[]) =>
    list(tags.slice(0, LISTED).map(({ name }) => name));
  const told = has.length > 0 ? [m.has(names(has))] : [];
  return [...told, ...(lacks.length > 0 ? [m.lacks(names(lacks))] : [])].join(" ");
}
