import type { ComponentChildren } from "preact";
import { Link } from "wouter-preact";
import { classes } from "./classes";
import { CloseIcon } from "./icons";
import styles from "./TagChip.module.css";

export type TagKindName = "DEFAULT" | "RETURN" | "AD" | "COMBO";

type TagChipProps = {
  kind: TagKindName;
  name: ComponentChildren;
  /** The kind in words, for those who do not see colours. */
  kindLabel?: string | undefined;
  /** Tags that are not in effect have a broken border. */
  state?: "PENDING" | "ACTIVE" | "LAPSED" | undefined;
  /** Since when, and until when: short, like a `Time` or a `Countdown`. */
  since?: ComponentChildren;
  until?: ComponentChildren;
  href?: string;
  /** Whether `href` is opened in a tab of its own. */
  newTab?: boolean;
  onClick?: () => void;
  /** Takes the chip out of where it is; `removeLabel` names that. */
  onRemove?: () => void;
  removeLabel?: string;
};

/** Shows a tag by its name and the colour of its kind. */
export function TagChip(props: TagChipProps) {
  const { kind, state, onRemove, onClick, href, newTab } = props;
  const look = classes(styles.chip, styles[kind], state && state !== "ACTIVE" && styles[state]);
  const inside = <Inside {...props} />;
  if (href && newTab) {
    return (
      <a href={href} target="_blank" rel="noopener" class={classes(look, styles.active)}>
        {inside}
      </a>
    );
  }
  if (href) {
    return (
      <Link href={href} class={classes(look, styles.active)}>
        {inside}
      </Link>
    );
  }
  if (onClick) {
    return (
      <button type="button" class={classes(look, styles.active)} onClick={onClick}>
        {inside}
      </button>
    );
  }
  return (
    <span class={look}>
      {inside}
      {onRemove && (
        <button type="button" class={styles.remove} aria-label={props.removeLabel} onClick={onRemove}>
          <CloseIcon size={12} />
        </button>
      )}
    </span>
  );
}

function Inside({ kindLabel, name, since, until }: TagChipProps) {
  return (
    <>
      <span class={styles.mark} aria-hidden="true" />
      <span class={styles.name}>{name}</span>
      {kindLabel && <span class="visually-hidden"> ({kindLabel})</span>}
      {since && <span class={styles.since}>{since}</span>}
      {until && <span class={styles.until}>{until}</span>}
    </>
  );
}
