import { Count } from "../../../ui/Count";
import { useMessages } from "../messages";
import styles from "./Funnel.module.css";
import { beginsLater, type Preview, wouldGetIt } from "./usePreview";

/** Shows how many of an audience remain at each step until those who would be sent to. */
export function Funnel({ preview }: { preview: Preview }) {
  const words = useMessages().broadcasts.preview;
  const { matched, following, sendable } = preview;
  const isLater = beginsLater(preview, Date.now());
  const steps = [
    { key: "matched", word: words.matched, count: matched },
    { key: "following", word: words.following, count: following },
    { key: "sendable", word: isLater ? words.sendableThen : words.sendable, count: sendable },
    { key: "now", word: isLater ? words.atStart : words.now, count: wouldGetIt(preview) },
  ] as const;
  return (
    <ol class={styles.funnel}>
      {steps.map(({ key, word, count }) => (
        <li key={key} class={key === "now" ? styles.last : styles.step}>
          <span class={styles.words}>
            <strong class={styles.count}>
              <Count value={count} />
            </strong>{" "}
            {word}
          </span>
          <span class={styles.track} aria-hidden="true">
            <span
              class={styles.bar}
              style={{ inlineSize: `${matched > 0 ? (100 * count) / matched : 0}%` }}
            />
          </span>
        </li>
      ))}
    </ol>
  );
}
