import styles from "./LineNotes.module.css";

export type LineNote = {
  /** For example "Line 3". */
  line: string;
  text: string;
  why: string;
  harmless?: boolean;
};

type LineNotesProps = {
  title: string;
  notes: readonly LineNote[];
  /** Says how many more there are than are shown; missing where all are. */
  more?: string | undefined;
};

/** Says of single lines of a list what is the matter with them. */
export function LineNotes({ title, notes, more }: LineNotesProps) {
  if (notes.length === 0) return null;
  return (
    <div class={styles.notes}>
      <p class={styles.title}>{title}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
      <ul class={styles.list} tabIndex={0} aria-label={title}>
        {notes.map(({ line, text, why, harmless }) => (
          <li key={`${line} ${text}`} class={harmless ? styles.harmless : styles.bad}>
            {line}: <code>{text}</code> {why}
          </li>
        ))}
        {more && <li class={styles.harmless}>{more}</li>}
      </ul>
    </div>
  );
}
