import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import styles from "./Field.module.css";
import { WarningIcon } from "./icons";

/** What every input of a form can say about itself. */
export type FieldText = {
  label: string;
  hint?: ComponentChildren;
  /** What is wrong with the value, in one sentence. */
  error?: string | null | undefined;
  /** Keeps the label for screen readers only, where the place says what is asked. */
  hideLabel?: boolean | undefined;
};

/** The attributes that tie an input to its label, its hint and its error. */
export type FieldInput = {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": true | undefined;
};

/** Shows a label, a hint and an error around one input. */
export function Field(props: FieldText & { children: (input: FieldInput) => ComponentChildren }) {
  const { label, hint, error, hideLabel, children } = props;
  const id = useId();
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  return (
    <div class={styles.field}>
      <label for={id} class={hideLabel ? "visually-hidden" : styles.label}>
        {label}
      </label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": error ? true : undefined })}
      {hint && (
        <div id={`${id}-hint`} class={styles.hint}>
          {hint}
        </div>
      )}
      {error && (
        <div id={`${id}-error`} class={styles.error}>
          <WarningIcon size={14} />
          {error}
        </div>
      )}
    </div>
  );
}
