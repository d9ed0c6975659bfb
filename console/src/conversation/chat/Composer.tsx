import { useId, useState } from "preact/hooks";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { SendIcon } from "../../ui/icons";
import { TextInput } from "../../ui/TextInput";
import styles from "./ChatPane.module.css";
import type { ChatAction, ChatError } from "./demoChat";
import type { Chat } from "./useChat";

/** Answers the person, and lets one be the person: what one does there changes tags. */
export function Composer({ perform }: { perform: Chat["perform"] }) {
  const m = useMessages();
  const titleId = useId();
  const [busy, setBusy] = useState<ChatAction | null>(null);
  const [refusal, setRefusal] = useState<ChatError | null>(null);
  const run = async (action: ChatAction, details?: Record<string, string>) => {
    setBusy(action);
    const failure = await perform(action, details);
    setBusy(null);
    setRefusal(failure);
    return failure === null;
  };
  const button = (action: ChatAction, label: string) => (
    <Button size="small" busy={busy === action} onClick={() => void run(action)}>
      {label}
    </Button>
  );
  const c = m.conversation;
  return (
    <div class={styles.composer}>
      <Line
        label={c.reply}
        placeholder={c.replyPlaceholder}
        primary
        busy={busy === "reply"}
        send={(text) => run("reply", { text })}
      />
      <div role="alert" class={styles.refusal}>
        {refusal && ((refusal.errcode && c.refused[refusal.errcode]) || c.refusedOther(refusal.message))}
      </div>
      <fieldset class={styles.play} aria-describedby={titleId}>
        <legend>{c.play}</legend>
        <p id={titleId} class={styles.hint}>
          {c.playHint}
        </p>
        <Line
          label={c.write}
          placeholder={c.writePlaceholder}
          busy={busy === "message"}
          send={(text) => run("message", { text })}
        />
        <div class={styles.actions}>
          {button("follow", c.follow)}
          {button("unfollow", c.unfollow)}
          {button("click", c.click)}
          {button("scan", c.scan)}
        </div>
      </fieldset>
    </div>
  );
}

interface LineProps {
  label: string;
  placeholder: string;
  primary?: boolean;
  busy: boolean;
  /** Sends a text; whether it was taken: what was refused stays in the field. */
  send: (text: string) => Promise<boolean>;
}

function Line({ label, placeholder, primary, busy, send }: LineProps) {
  const [text, setText] = useState("");
  const submit = async (event: Event) => {
    event.preventDefault();
    const sent = text.trim();
    if (sent === "" || busy) return;
    if (await send(sent)) setText("");
  };
  return (
    <form class={styles.line} onSubmit={submit}>
      <TextInput
        label={placeholder}
        hideLabel
        placeholder={placeholder}
        value={text}
        onInput={setText}
        maxLength={600}
      />
      <Button
        type="submit"
        variant={primary ? "primary" : "default"}
        busy={busy}
        {...(primary && { icon: <SendIcon /> })}
      >
        {label}
      </Button>
    </form>
  );
}
