import type { ComponentChildren } from "preact";
import { InfoIcon } from "./icons";
import styles from "./Reason.module.css";

/** Says why something is not available. */
export function Reason({ id, children }: { id?: string; children: ComponentChildren }) {
  return (
    <span id={id} class={styles.reason}>
      <InfoIcon size={14} />
      <span>{children}</span>
    </span>
  );
}
