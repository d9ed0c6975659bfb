import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { ArrowUpIcon } from "../../ui/icons";
import type { Conversation } from "../chat/demoChat";
import styles from "./ConversationList.module.css";
import { ConversationRow } from "./ConversationRow";
import { holdOrder } from "./order";
import { AT_ONCE, usePeople } from "./people";
import { useWindow } from "./useWindow";
import { rowByKey, scrollToRow } from "./window";

/** Height of a row, in rem. */
const ROW = 5.5;

interface ConversationListProps {
  channel: string;
  conversations: readonly Conversation[];
  chosen: string | null;
  hrefOf: (openid: string) => string;
}

/** Shows conversations, however many, with the tags of everybody; arrow keys go from one to the next. */
export function ConversationList({ channel, conversations, chosen, hrefOf }: ConversationListProps) {
  const m = useMessages();
  const [, navigate] = useLocation();
  const people = usePeople(channel);
  const { shown, moved, holding, release } = useHeldOrder(conversations);
  const list = useWindow(shown.length, ROW);
  const focusNext = useRef(false);
  const chosenRow = shown.findIndex(({ openid }) => openid === chosen);
  const { first, end } = list.window;
  // One request for the whole neighbourhood of what is in sight, however far somebody scrolls.
  const from = Math.floor(first / AT_ONCE) * AT_ONCE;
  const to = Math.ceil(end / AT_ONCE) * AT_ONCE;
  const unknown = useMemo(() => shown.slice(from, to).map(({ openid }) => openid), [shown, from, to]);
  useEffect(() => {
    if (list.resting) people.ask(unknown);
  }, [people, unknown, list.resting]);
  useEffect(() => {
    if (!focusNext.current) return;
    focusNext.current = false;
    list.ref.current?.querySelector<HTMLElement>('[aria-current="true"]')?.focus();
  });
  const move = (event: KeyboardEvent) => {
    const to = rowByKey(event.key, chosenRow, shown.length, list.page);
    const openid = to === null ? undefined : shown[to]?.openid;
    if (to === null || openid === undefined) return;
    event.preventDefault();
    list.scrollTo((scrolled, height) => scrollToRow(to, scrolled, height, list.rowHeight));
    focusNext.current = true;
    navigate(hrefOf(openid), { replace: true });
  };
  return (
    <div class={styles.list} {...holding}>
      {moved > 0 && (
        <div class={styles.moved}>
          <Button size="small" icon={<ArrowUpIcon size={14} />} onClick={() => release(list.scrollTo)}>
            {m.conversation.newer(moved)}
          </Button>
        </div>
      )}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are pressed on the links inside */}
      <div class={styles.scroll} ref={list.ref} onScroll={list.onScroll} onKeyDown={move}>
        <ol
          class={styles.rows}
          aria-label={m.conversation.list}
          style={{ blockSize: `${shown.length * ROW}rem` }}
        >
          {shown.slice(first, end).map((conversation, index) => (
            <li
              key={conversation.openid}
              class={styles.row}
              aria-posinset={first + index + 1}
              aria-setsize={shown.length}
              style={{ transform: `translateY(${(first + index) * ROW}rem)`, blockSize: `${ROW}rem` }}
            >
              <ConversationRow
                channel={channel}
                conversation={conversation}
                href={hrefOf(conversation.openid)}
                current={conversation.openid === chosen}
                focusable={first + index === (chosenRow < first || chosenRow >= end ? first : chosenRow)}
                live={list.resting && list.isInSight(first + index)}
                people={people}
              />
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}

/** Keeps the order while somebody points at the list or goes through it by keyboard: nothing moves under a hand. */
function useHeldOrder(conversations: readonly Conversation[]) {
  const [held, setHeld] = useState<readonly string[] | null>(null);
  const reasons = useRef(new Set<"pointer" | "keyboard">());
  const change = (reason: "pointer" | "keyboard", holds: boolean) => {
    if (holds) reasons.current.add(reason);
    else reasons.current.delete(reason);
    const order = () => conversations.map(({ openid }) => openid);
    setHeld((before) => (reasons.current.size === 0 ? null : (before ?? order())));
  };
  const { shown, moved } = useMemo(() => holdOrder(conversations, held), [conversations, held]);
  return {
    shown,
    moved,
    holding: {
      onPointerEnter: ({ pointerType }: PointerEvent) => change("pointer", pointerType === "mouse"),
      onPointerLeave: () => change("pointer", false),
      onFocusIn: ({ target }: FocusEvent) =>
        change("keyboard", (target as Element).matches(":focus-visible")),
      onFocusOut: () => change("keyboard", false),
    },
    release: (scrollTo: (target: () => number) => void) => {
      setHeld(reasons.current.size === 0 ? null : conversations.map(({ openid }) => openid));
      scrollTo(() => 0);
    },
  };
}
