import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useWhileVisible } from "../../card/usePerson";
import { mergeConversations } from "../list/order";
import {
  act,
  type ChatAction,
  ChatError,
  type Conversation,
  readConversation,
  readConversations,
  type Utterance,
} from "./demoChat";

/** The demo has no feed of its own: it is asked this often, in milliseconds, while the page is looked at. */
const ASK_EVERY = 1_500;
const ALL = 1_000;
const NEWEST = 30;

/** Follows the recent conversations of a channel; undefined until they are known. */
export function useConversations(channel: string, on: boolean) {
  const [known, setKnown] = useState<readonly Conversation[] | undefined>(undefined);
  const [failed, setFailed] = useState(false);
  const asked = useRef(0);
  const seen = useRef(0);
  const look = useCallback(async () => {
    if (!on) return;
    asked.current += 1;
    try {
      let newer = await readConversations(channel, asked.current === 1 ? ALL : NEWEST);
      const numbers = newer.map(({ last }) => last?.number ?? 0);
      // All of it is news: further back there may be more.
      if (newer.length === NEWEST && Math.min(...numbers) > seen.current)
        newer = await readConversations(channel, ALL);
      seen.current = Math.max(seen.current, ...numbers);
      setKnown((before) => mergeConversations(before ?? [], newer));
      setFailed(false);
    } catch {
      asked.current = 0;
      setFailed(true);
    }
  }, [channel, on]);
  useEffect(() => {
    setKnown(undefined);
    asked.current = 0;
    look();
  }, [look]);
  useWhileVisible(look, ASK_EVERY);
  return { conversations: known, failed, look };
}

export interface Chat {
  readonly utterances: readonly Utterance[] | undefined;
  readonly failed: boolean;
  /** Does something; null when it was done, else why not. */
  readonly perform: (action: ChatAction, details?: Record<string, string>) => Promise<ChatError | null>;
}

/** Follows one conversation; `onNews` is called when something was said. */
export function useChat(channel: string, openid: string, onNews: () => void): Chat {
  const [utterances, setUtterances] = useState<readonly Utterance[] | undefined>(undefined);
  const [failed, setFailed] = useState(false);
  const last = useRef(0);
  const looking = useRef(false);
  const look = useCallback(async () => {
    if (looking.current) return;
    looking.current = true;
    try {
      const after = last.current;
      const newer = await readConversation(channel, openid, after);
      last.current = newer.at(-1)?.number ?? after;
      setUtterances((before) => (before && newer.length === 0 ? before : [...(before ?? []), ...newer]));
      setFailed(false);
      if (after > 0 && newer.length > 0) onNews();
    } catch {
      setFailed(true);
    } finally {
      looking.current = false;
    }
  }, [channel, openid, onNews]);
  useEffect(() => void look(), [look]);
  useWhileVisible(look, ASK_EVERY);
  const perform = useCallback(
    async (action: ChatAction, details: Record<string, string> = {}) => {
      try {
        await act(channel, openid, action, details);
        onNews();
        await look();
        return null;
      } catch (error) {
        return error instanceof ChatError ? error : new ChatError(String(error), null);
      }
    },
    [channel, openid, onNews, look],
  );
  return { utterances, failed, perform };
}
