import { useLayoutEffect, useRef } from "preact/hooks";
import { useMessages } from "../../i18n/messages";
import { classes } from "../../ui/classes";
import { Loading } from "../../ui/Loading";
import { Reason } from "../../ui/Reason";
import { Time } from "../../ui/Time";
import styles from "./ChatPane.module.css";
import { Composer } from "./Composer";
import type { Utterance } from "./demoChat";
import { isMessage, tellOf } from "./tell";
import { useChat } from "./useChat";

interface ChatPaneProps {
  channel: string;
  openid: string;
  onNews: () => void;
}

/** The chat with an imitated person: what both said, an answer, and what the person may do next. */
export function ChatPane({ channel, openid, onNews }: ChatPaneProps) {
  const m = useMessages();
  const { utterances, failed, perform } = useChat(channel, openid, onNews);
  return (
    <section class={styles.pane} aria-label={m.conversation.chat}>
      {failed && <Reason>{m.conversation.chatProblem}</Reason>}
      {utterances === undefined ? (
        <div class={styles.said}>{!failed && <Loading label={m.common.loading} count={3} />}</div>
      ) : (
        <Said utterances={utterances} />
      )}
      <Composer perform={perform} />
    </section>
  );
}

function Said({ utterances }: { utterances: readonly Utterance[] }) {
  const m = useMessages();
  const ref = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  // Whoever reads further up is left there.
  useLayoutEffect(() => {
    const element = ref.current;
    if (element && atEnd.current && utterances.length > 0) element.scrollTop = element.scrollHeight;
  }, [utterances]);
  const onScroll = () => {
    const element = ref.current;
    if (element) atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
  };
  if (utterances.length === 0) return <p class={styles.said}>{m.conversation.nothingSaid}</p>;
  return (
    <div
      class={styles.scroll}
      ref={ref}
      onScroll={onScroll}
      role="log"
      aria-label={m.conversation.chat}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
    >
      <ol class={styles.said}>
        {utterances.map((each) => (
          <Line key={each.number} utterance={each} />
        ))}
      </ol>
    </div>
  );
}

function Line({ utterance }: { utterance: Utterance }) {
  const m = useMessages();
  const { by, kind, at } = utterance;
  const told = tellOf(utterance, m.conversation);
  if (!isMessage(utterance)) {
    return (
      <li class={styles.event}>
        <span>{told}</span> <Time at={at} />
      </li>
    );
  }
  return (
    <li class={classes(styles.message, by === "ACCOUNT" && styles.ours)}>
      <p class={styles.bubble}>{told}</p>
      <p class={styles.meta}>
        {by === "ACCOUNT" ? (m.conversation.sentBy[kind] ?? m.conversation.you) : m.conversation.person} ·{" "}
        <Time at={at} />
      </p>
    </li>
  );
}
