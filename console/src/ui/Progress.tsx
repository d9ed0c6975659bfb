import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import styles from "./Progress.module.css";

type ProgressProps = {
  label: ComponentChildren;
  /** Missing while nothing is known of how far it is. */
  value?: number | null | undefined;
  max?: number | null | undefined;
  /** How far it is, in words, at the other end. */
  detail?: ComponentChildren;
  hideLabel?: boolean;
};

/** Shows how far something is. */
export function Progress({ label, value, max, detail, hideLabel }: ProgressProps) {
  const id = useId();
  const known = value != null && max != null && max > 0;
  return (
    <div class={styles.progress}>
      <label for={id} class={hideLabel ? "visually-hidden" : undefined}>
        {label}
      </label>
      {detail && <span class={styles.detail}>{detail}</span>}
      {known ? (
        <progress id={id} class={styles.bar} value={value} max={max} />
      ) : (
        <progress id={id} class={styles.bar} />
      )}
    </div>
  );
}
