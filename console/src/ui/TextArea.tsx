import type { Ref } from "preact";
import { classes } from "./classes";
import { Field, type FieldText } from "./Field";
import styles from "./Field.module.css";

type TextAreaProps = FieldText & {
  value: string;
  onInput: (value: string) => void;
  rows?: number;
  name?: string;
  placeholder?: string;
  required?: boolean;
  readOnly?: boolean;
  maxLength?: number;
  mono?: boolean;
  inputRef?: Ref<HTMLTextAreaElement>;
};

export function TextArea(props: TextAreaProps) {
  const { label, hint, error, hideLabel, onInput, mono, inputRef, rows = 4, ...rest } = props;
  return (
    <Field label={label} hint={hint} error={error} hideLabel={hideLabel}>
      {(field) => (
        <textarea
          spellcheck={!mono}
          rows={rows}
          {...rest}
          {...field}
          ref={inputRef ?? null}
          class={classes(styles.input, styles.area, mono && styles.mono)}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
