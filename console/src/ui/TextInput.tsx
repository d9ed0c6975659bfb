import type { Ref } from "preact";
import { classes } from "./classes";
import { Field, type FieldText } from "./Field";
import styles from "./Field.module.css";

type TextInputProps = FieldText & {
  value: string;
  onInput: (value: string) => void;
  type?: "text" | "search" | "password" | "number" | "date" | "time" | "datetime-local" | "url";
  name?: string;
  placeholder?: string;
  required?: boolean;
  readOnly?: boolean;
  autofocus?: boolean;
  autocomplete?: string;
  maxLength?: number;
  min?: string | number;
  max?: string | number;
  step?: string | number;
  /** Id of a `<datalist>` with values to choose from. */
  list?: string;
  /** For ids and keys. */
  mono?: boolean;
  onKeyDown?: (event: KeyboardEvent) => void;
  onBlur?: () => void;
  inputRef?: Ref<HTMLInputElement>;
};

export function TextInput(props: TextInputProps) {
  const { label, hint, error, hideLabel, onInput, mono, inputRef, type = "text", ...rest } = props;
  return (
    <Field label={label} hint={hint} error={error} hideLabel={hideLabel}>
      {(field) => (
        <input
          autocomplete="off"
          spellcheck={!mono}
          {...rest}
          {...field}
          // The types know what each kind of input may have; here it is any of them.
          type={type as "text"}
          ref={inputRef ?? null}
          class={classes(styles.input, mono && styles.mono)}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
