import { classes } from "./classes";
import { Field, type FieldText } from "./Field";
import fieldStyles from "./Field.module.css";
import styles from "./Select.module.css";

export type Option<Value extends string = string> = { value: Value; label: string; disabled?: boolean };

type SelectProps<Value extends string> = FieldText & {
  value: Value;
  options: readonly Option<Value>[];
  onChange: (value: Value) => void;
  name?: string;
  required?: boolean;
};

export function Select<Value extends string>(props: SelectProps<Value>) {
  const { label, hint, error, hideLabel, options, value, onChange, ...rest } = props;
  return (
    <Field label={label} hint={hint} error={error} hideLabel={hideLabel}>
      {(field) => (
        <select
          {...rest}
          {...field}
          value={value}
          class={classes(fieldStyles.input, styles.select)}
          onChange={(event) => onChange(event.currentTarget.value as Value)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value} disabled={option.disabled}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
