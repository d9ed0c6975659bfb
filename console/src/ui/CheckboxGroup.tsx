import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import styles from "./Choice.module.css";

type CheckboxGroupProps = {
  label: string;
  hint?: ComponentChildren;
  error?: string | null | undefined;
  children: ComponentChildren;
};

/** Puts checkboxes that answer one question below it, with what is wrong with the answer. */
export function CheckboxGroup({ label, hint, error, children }: CheckboxGroupProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <fieldset aria-describedby={described || undefined}>
      <legend class={styles.legend}>{label}</legend>
      {hint && (
        <div id={`${id}-hint`} class={styles.hint}>
          {hint}
        </div>
      )}
      <div class={styles.group}>{children}</div>
      {error && (
        <div id={`${id}-error`} class={styles.error}>
          {error}
        </div>
      )}
    </fieldset>
  );
}
