import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import styles from "./Choice.module.css";
import { Reason } from "./Reason";

type CheckboxProps = {
  label: ComponentChildren;
  checked: boolean;
  onChange: (checked: boolean) => void;
  hint?: ComponentChildren;
  /** Why it cannot be changed. */
  reason?: string | null | undefined;
  name?: string;
};

export function Checkbox({ label, checked, onChange, hint, reason, name }: CheckboxProps) {
  const id = useId();
  return (
    <div class={styles.choice}>
      <input
        id={id}
        type="checkbox"
        name={name}
        checked={checked}
        disabled={Boolean(reason)}
        aria-describedby={hint || reason ? `${id}-more` : undefined}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <div>
        <label for={id}>{label}</label>
        {(hint || reason) && (
          <div id={`${id}-more`} class={styles.hint}>
            {hint}
            {reason && <Reason>{reason}</Reason>}
          </div>
        )}
      </div>
    </div>
  );
}
