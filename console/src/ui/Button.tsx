import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Link } from "wouter-preact";
import styles from "./Button.module.css";
import { classes } from "./classes";
import { Reason } from "./Reason";

type Look = {
  variant?: "default" | "primary" | "quiet" | "danger" | undefined;
  size?: "normal" | "small" | undefined;
  icon?: ComponentChildren;
  children: ComponentChildren;
};

type ButtonProps = Look & {
  type?: "button" | "submit";
  form?: string;
  /** Under way: clicks are ignored, and after 300 ms something turns. */
  busy?: boolean | undefined;
  /** Why the button cannot be pressed, shown beside it; it stays in the order of focus. */
  reason?: string | null | undefined;
  pressed?: boolean | undefined;
  expanded?: boolean | undefined;
  /** What a screen reader calls it, where its text needs what is around it; begins with that text. */
  label?: string | undefined;
  describedBy?: string | undefined;
  autofocus?: boolean;
  onClick?: (event: MouseEvent) => void;
};

export function Button(props: ButtonProps) {
  const { busy = false, reason, onClick } = props;
  const reasonId = useId();
  const described = [props.describedBy, reason ? reasonId : undefined].filter(Boolean).join(" ");
  const click = (event: MouseEvent) => {
    if (busy || reason) event.preventDefault();
    else onClick?.(event);
  };
  const button = (
    <button
      type={props.type ?? "button"}
      form={props.form}
      class={look(props, busy)}
      aria-disabled={reason || busy ? true : undefined}
      aria-busy={busy || undefined}
      aria-pressed={props.pressed}
      aria-expanded={props.expanded}
      aria-label={props.label}
      aria-describedby={described || undefined}
      autofocus={props.autofocus}
      onClick={click}
    >
      {props.icon}
      <span class={styles.label}>{props.children}</span>
    </button>
  );
  if (!reason) return button;
  return (
    <span class={styles.withReason}>
      {button}
      <Reason id={reasonId}>{reason}</Reason>
    </span>
  );
}

/** A link that looks like a button, for what leads to another page. */
export function LinkButton(props: Look & { href: string; replace?: boolean }) {
  return (
    <Link href={props.href} replace={props.replace ?? false} class={look(props, false)}>
      {props.icon}
      <span class={styles.label}>{props.children}</span>
    </Link>
  );
}

function look({ variant = "default", size }: Look, busy: boolean): string {
  return classes(styles.button, styles[variant], size === "small" && styles.small, busy && styles.busy);
}
