import type { MessageKind } from "../../../api/generated/graphql";
import { partsOf } from "../form/placeholders";
import { useMessages } from "../messages";
import styles from "./MessagePreview.module.css";

export interface ShownMessage {
  readonly kind: MessageKind | null;
  readonly text: string;
  readonly mediaIds: readonly string[];
  readonly fields: readonly { readonly key: string; readonly value: string }[];
  /** What opens when it is tapped; empty for nothing. */
  readonly opens: string;
}

/** Shows a message about as people get it, with what is filled in for each of them marked. */
export function MessagePreview({ message }: { message: ShownMessage }) {
  const m = useMessages();
  const { text, mediaIds, opens } = message;
  const fields = message.fields.filter(({ key, value }) => key || value);
  const words = m.broadcasts.compose;
  const isEmpty = !text && !mediaIds.length && !fields.length;
  return (
    <figure class={styles.figure}>
      <figcaption class={styles.caption}>{words.looksLike}</figcaption>
      <div class={styles.bubble}>
        {isEmpty && <p class={styles.empty}>{words.looksEmpty}</p>}
        {text && <Filled text={text} />}
        {mediaIds.map((id) => (
          <code key={id} class={styles.media}>
            {id}
          </code>
        ))}
        {fields.length > 0 && (
          <dl class={styles.fields}>
            {fields.map(({ key, value }, index) => (
              <div key={index}>
                <dt>{key}</dt>
                <dd>
                  <Filled text={value} />
                </dd>
              </div>
            ))}
          </dl>
        )}
        {opens && (
          <p class={styles.opens}>
            <Filled text={opens} />
          </p>
        )}
      </div>
    </figure>
  );
}

function Filled({ text }: { text: string }) {
  const m = useMessages();
  const { tagOf, openidWord } = m.broadcasts.compose;
  return (
    <span class={styles.text}>
      {partsOf(text).map(({ text: part, placeholder }, index) => {
        if (!placeholder) return part;
        const { category, fallback } = placeholder;
        return (
          <mark key={index} class={styles.placeholder} title={part}>
            {category === null ? openidWord : tagOf(category)}
            {fallback !== null && ` | ${fallback}`}
          </mark>
        );
      })}
    </span>
  );
}
