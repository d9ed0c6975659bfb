import type { ComponentChildren } from "preact";
import { classes } from "./classes";
import { InfoIcon, WarningIcon } from "./icons";
import styles from "./Problem.module.css";

type ProblemProps = {
  title: ComponentChildren;
  /** The reason, and what to do. */
  children?: ComponentChildren;
  action?: ComponentChildren;
  /** A problem is read out at once; a caution or a note is part of the page. */
  tone?: "negative" | "caution" | "informative";
};

/** Says what went wrong, or what to mind, where it matters. */
export function Problem({ title, children, action, tone = "negative" }: ProblemProps) {
  return (
    <div class={classes(styles.problem, styles[tone])} role={tone === "negative" ? "alert" : undefined}>
      {tone === "informative" ? <InfoIcon /> : <WarningIcon />}
      <div class={styles.text}>
        <p class={styles.title}>{title}</p>
        {children && <div>{children}</div>}
      </div>
      {action && <div class={styles.action}>{action}</div>}
    </div>
  );
}
