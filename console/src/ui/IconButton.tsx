import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { classes } from "./classes";
import styles from "./IconButton.module.css";

type IconButtonProps = {
  label: string;
  icon: ComponentChildren;
  /** Why it cannot be pressed; shown under the label when pointed at or focused. */
  reason?: string | null | undefined;
  size?: "normal" | "small";
  pressed?: boolean | undefined;
  expanded?: boolean | undefined;
  onClick?: (event: MouseEvent) => void;
};

/** A button that is only a picture; its name shows when it is pointed at or focused. */
export function IconButton({ label, icon, reason, size, pressed, expanded, onClick }: IconButtonProps) {
  const reasonId = useId();
  return (
    <span class={styles.anchor}>
      <button
        type="button"
        class={classes(styles.button, size === "small" && styles.small)}
        aria-label={label}
        aria-disabled={reason ? true : undefined}
        aria-describedby={reason ? reasonId : undefined}
        aria-pressed={pressed}
        aria-expanded={expanded}
        onClick={(event) => !reason && onClick?.(event)}
      >
        {icon}
      </button>
      <span class={styles.tip}>
        <span aria-hidden="true">{label}</span>
        {reason && <span id={reasonId}>{reason}</span>}
      </span>
    </span>
  );
}
