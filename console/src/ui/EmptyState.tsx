import type { ComponentChildren } from "preact";
import styles from "./EmptyState.module.css";

type EmptyStateProps = {
  title: string;
  /** What to do about it. */
  children?: ComponentChildren;
  icon?: ComponentChildren;
  action?: ComponentChildren;
};

/** Says why nothing is here, and what to do. */
export function EmptyState({ title, children, icon, action }: EmptyStateProps) {
  return (
    <div class={styles.empty}>
      {icon && <span class={styles.icon}>{icon}</span>}
      <p class={styles.title}>{title}</p>
      {children && <div class={styles.text}>{children}</div>}
      {action && <div class={styles.action}>{action}</div>}
    </div>
  );
}
