import {
  ExpressionBroadcastChoicesDocument,
  ExpressionTagChoicesDocument,
} from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { can } from "../../app/viewer";
import type { Messages } from "../../i18n/messages";
import { type Choice, nameOfChoice } from "./choices";
import type { Allowed } from "./editing";
import { useSettled } from "./useSettled";

const SHOWN = 50;
const BROADCASTS = 50;
/** How long to wait for more to be typed, in milliseconds. */
const PAUSE = 120;

interface Choices {
  readonly choices: readonly Choice[];
  /** How many tags have the text, those that are not shown included. */
  readonly totalTags: number;
  readonly shownTags: number;
  readonly searching: boolean;
}

/** Searches what can be put into an expression: followers, tags, broadcasts. */
export function useChoices(
  channel: string,
  text: string,
  allowed: Allowed,
  pause: boolean,
  m: Messages["expressions"],
): Choices {
  const search = useSettled(text.trim(), PAUSE);
  const tags = useQuery(
    ExpressionTagChoicesDocument,
    { channel, search: search || null, first: SHOWN },
    { pause },
  );
  const received = allowed.received === true && can("BROADCAST");
  const broadcasts = useQuery(
    ExpressionBroadcastChoicesDocument,
    { channel, first: BROADCASTS },
    { pause: pause || !received },
  );
  const others: Choice[] = [
    ...(allowed.followers ? [{ kind: "followers" } as const] : []),
    ...(received ? (broadcasts.data?.channel?.broadcasts?.nodes ?? []) : []).map(
      ({ id, name }): Choice => ({ kind: "received", broadcast: { id, name: name ?? null } }),
    ),
  ];
  const wanted = search.toLowerCase();
  const fits = (choice: Choice) => nameOfChoice(choice, m).toLowerCase().includes(wanted);
  const found = tags.data?.channel?.tags;
  const ofTags = (found?.nodes ?? []).map((tag): Choice => ({ kind: "tag", tag }));
  const [followers, rest] = [
    others.filter(isFollowers).filter(fits),
    others.filter((each) => !isFollowers(each)),
  ];
  return {
    choices: [...followers, ...ofTags, ...rest.filter(fits)],
    totalTags: found?.totalCount ?? 0,
    shownTags: ofTags.length,
    searching: search !== text.trim() || (tags.fetching && !found),
  };
}

function isFollowers(choice: Choice): boolean {
  return choice.kind === "followers";
}
