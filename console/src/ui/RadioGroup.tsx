import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import styles from "./Choice.module.css";
import { classes } from "./classes";
import { Reason } from "./Reason";

type Choice<Value extends string> = {
  value: Value;
  label: ComponentChildren;
  hint?: ComponentChildren;
  /** Why it cannot be chosen. */
  reason?: string | null | undefined;
};

type RadioGroupProps<Value extends string> = {
  label: string;
  value: Value | null;
  choices: readonly Choice<Value>[];
  onChange: (value: Value) => void;
  error?: string | null | undefined;
  hideLabel?: boolean;
  /** Side by side, for short ones. */
  inline?: boolean;
};

export function RadioGroup<Value extends string>(props: RadioGroupProps<Value>) {
  const id = useId();
  return (
    <fieldset aria-describedby={props.error ? `${id}-error` : undefined}>
      <legend class={props.hideLabel ? "visually-hidden" : styles.legend}>{props.label}</legend>
      <div class={classes(styles.group, props.inline && styles.row)}>
        {props.choices.map(({ value, label, hint, reason }) => (
          <div key={value} class={styles.choice}>
            <input
              id={`${id}-${value}`}
              type="radio"
              name={id}
              value={value}
              checked={value === props.value}
              disabled={Boolean(reason)}
              aria-describedby={hint || reason ? `${id}-${value}-more` : undefined}
              onChange={() => props.onChange(value)}
            />
            <div>
              <label for={`${id}-${value}`}>{label}</label>
              {(hint || reason) && (
                <div id={`${id}-${value}-more`} class={styles.hint}>
                  {hint}
                  {reason && <Reason>{reason}</Reason>}
                </div>
              )}
            </div>
          </div>
        ))}
      </div>
      {props.error && (
        <div id={`${id}-error`} class={styles.error}>
          {props.error}
        </div>
      )}
    </fieldset>
  );
}
