import { type Signal, signal } from "@preact/signals";
import { useClient } from "@urql/preact";
import { useMemo } from "preact/hooks";
import { treeOf } from "../../api/documents";
import { ConversationPeopleDocument, type TagMarkFragment } from "../../api/generated/graphql";

/** How many people one request asks for; the API takes no more. */
export const AT_ONCE = 100;

/** Tags of a person; null for somebody the channel does not know, undefined until the service has said. */
export type Chips = readonly TagMarkFragment[] | null | undefined;

/** Holds the tags of the people of one channel, each to be shown and followed by itself. */
export interface People {
  readonly of: (openid: string) => Signal<Chips>;
  /** Asks, in one request, for those of these people who were not asked for yet. */
  readonly ask: (openids: readonly string[]) => void;
}

/** Returns the people of a channel, who are asked for as the list comes to show them. */
export function usePeople(channel: string): People {
  const client = useClient();
  return useMemo(() => {
    const known = new Map<string, Signal<Chips>>();
    const asked = new Set<string>();
    const of = (openid: string): Signal<Chips> => {
      const found = known.get(openid) ?? signal<Chips>(undefined);
      known.set(openid, found);
      return found;
    };
    const ask = async (openids: readonly string[]) => {
      const unknown = openids.filter((openid) => !asked.has(openid)).slice(0, AT_ONCE);
      if (unknown.length === 0) return;
      for (const openid of unknown) asked.add(openid);
      const answer = await client.query(treeOf(ConversationPeopleDocument), { channel, openids: unknown });
      if (!answer.data?.users) {
        // They are asked for again when the list is scrolled.
        for (const openid of unknown) asked.delete(openid);
        return;
      }
      answer.data.users.forEach((user, index) => {
        const chips = of(unknown[index] ?? "");
        // What came live meanwhile is newer.
        if (chips.peek() === undefined) chips.value = user?.tags.map(({ tag }) => tag) ?? null;
      });
    };
    return { of, ask: (openids) => void ask(openids) };
  }, [client, channel]);
}
