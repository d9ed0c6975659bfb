import type { ComponentChildren } from "preact";
import { classes } from "./classes";
import styles from "./Layout.module.css";

type Gap = 1 | 2 | 3 | 4 | 5 | 6;
const GAPS = {
  1: styles.gap1,
  2: styles.gap2,
  3: styles.gap3,
  4: styles.gap4,
  5: styles.gap5,
  6: styles.gap6,
};

/** Puts things below each other. */
export function Stack({ gap = 4, children }: { gap?: Gap; children: ComponentChildren }) {
  return <div class={classes(styles.stack, GAPS[gap])}>{children}</div>;
}

type RowProps = { gap?: Gap; between?: boolean; top?: boolean; children: ComponentChildren };

/** Puts things beside each other, breaking into lines where there is no room; `between` spreads them. */
export function Row({ gap = 2, between, top, children }: RowProps) {
  return (
    <div class={classes(styles.row, GAPS[gap], between && styles.between, top && styles.top)}>{children}</div>
  );
}

/** Puts cards into as many columns as there is room for. */
export function Grid({ gap = 4, children }: { gap?: Gap; children: ComponentChildren }) {
  return <div class={classes(styles.grid, GAPS[gap])}>{children}</div>;
}

/** Names and values, as `<dt>` and `<dd>` inside one `<div>` each; `short` ones take less room. */
export function Facts({ short, children }: { short?: boolean; children: ComponentChildren }) {
  return <dl class={classes(styles.facts, short && styles.short)}>{children}</dl>;
}

type FactProps = {
  label: ComponentChildren;
  children: ComponentChildren;
  /** In a line of its own, for what is long. */
  wide?: boolean;
};

export function Fact({ label, children, wide }: FactProps) {
  return (
    <div class={classes(styles.fact, wide && styles.wide)}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
