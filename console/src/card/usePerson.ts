import { useCallback, useEffect, useState } from "preact/hooks";
import { caughtUpAt } from "../api/connection";
import {
  PersonDocument,
  type PersonQuery,
  PersonTagsDocument,
  type PersonTagsSubscription,
} from "../api/generated/graphql";
import { useQuery, useSubscription } from "../api/hooks";
import type { Problem } from "../api/problem";
import { type CatchUp, countMissed } from "./catchUp";

/** How often what no event tells of (until when somebody is touchable) is asked for, in milliseconds. */
const ASK_EVERY = 15_000;

export interface FollowedPerson {
  /** The person; null where the channel does not know them, undefined until the service has answered. */
  readonly user: PersonQuery["user"] | undefined;
  readonly channel: PersonQuery["channel"] | undefined;
  readonly problem: Problem | null;
  /** Whether changes arrive by themselves. */
  readonly live: boolean;
  readonly catchUp: CatchUp | null;
  /** Grows with each change of the tags. */
  readonly changes: number;
}

/** Follows one person: everything is asked once, each change of the tags comes by itself, and the rest now and then. */
export function usePerson(channel: string, openid: string, asked = 0): FollowedPerson {
  const { data, problem, again } = useQuery(PersonDocument, { channel, openid });
  const [catchUp, setCatchUp] = useState<CatchUp | null>(null);
  const [changes, setChanges] = useState(0);
  const onEvent = useCallback(({ userTags }: PersonTagsSubscription) => {
    setCatchUp((before) => countMissed(before, userTags, caughtUpAt.peek(), Date.now()));
    setChanges((count) => count + 1);
  }, []);
  const followed = useSubscription(PersonTagsDocument, { channel, openid, after: null }, { onEvent });
  useEffect(() => {
    if (asked > 0) again();
  }, [asked, again]);
  useWhileVisible(again, ASK_EVERY);
  return {
    user: data?.user,
    channel: data?.channel,
    problem: problem ?? followed.problem,
    live: followed.data !== undefined,
    catchUp,
    changes,
  };
}

/** Calls something every so many milliseconds while the page is looked at, and when somebody comes back to it. */
export function useWhileVisible(call: () => void, every: number): void {
  useEffect(() => {
    const callIfVisible = () => {
      if (!document.hidden) call();
    };
    const timer = setInterval(callIfVisible, every);
    document.addEventListener("visibilitychange", callIfVisible);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", callIfVisible);
    };
  }, [call, every]);
}
