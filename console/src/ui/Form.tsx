import type { ComponentChildren } from "preact";
import styles from "./Form.module.css";

type FormProps = {
  onSubmit: () => void;
  children: ComponentChildren;
  /** Buttons below, the one that does it first. */
  footer: ComponentChildren;
  label?: string;
};

/** Puts inputs below each other, no wider than is read with ease; Enter in one of them submits. */
export function Form({ onSubmit, children, footer, label }: FormProps) {
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form class={styles.form} aria-label={label} onSubmit={submit} noValidate>
      {children}
      <div class={styles.footer}>{footer}</div>
    </form>
  );
}
