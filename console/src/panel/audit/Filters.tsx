import { Button } from "../../ui/Button";
import { Select } from "../../ui/Select";
import { TextInput } from "../../ui/TextInput";
import styles from "./Audit.module.css";
import { instantOf, isNarrowed, type LogChoice, localOf, OUTCOMES } from "./logChoice";
import { type Messages, useMessages } from "./messages";
import { verbsOf } from "./sentence";

type FiltersProps = { choice: LogChoice; onChange: (choice: LogChoice) => void };

/** Lets choose which entries are shown: by whom, of what, how it ended, and when. */
export function Filters({ choice, onChange }: FiltersProps) {
  const m = useMessages();
  const all = { value: "" as const, label: m.audit.all };
  const nothing = { target: "", subject: "", action: "", outcome: null, from: "", to: "" };
  return (
    <search class={styles.filters} aria-label={m.audit.filters}>
      <TextInput
        type="search"
        label={m.audit.subject}
        placeholder={m.audit.subjectHint}
        value={choice.subject}
        onInput={(subject) => onChange({ ...choice, subject })}
      />
      <Select
        label={m.audit.action}
        value={choice.action}
        options={[all, ...actionsOf(choice.action, m)]}
        onChange={(action) => onChange({ ...choice, action })}
      />
      <Select
        label={m.audit.outcome}
        value={choice.outcome ?? ""}
        options={[all, ...OUTCOMES.map((outcome) => ({ value: outcome, label: m.audit.outcomes[outcome] }))]}
        onChange={(outcome) => onChange({ ...choice, outcome: outcome || null })}
      />
      <TextInput
        type="datetime-local"
        label={m.audit.from}
        value={localOf(choice.from)}
        onInput={(from) => onChange({ ...choice, from: instantOf(from) })}
      />
      <TextInput
        type="datetime-local"
        label={m.audit.to}
        value={localOf(choice.to)}
        onInput={(to) => onChange({ ...choice, to: instantOf(to) })}
      />
      {isNarrowed(choice) && (
        <Button variant="quiet" onClick={() => onChange(nothing)}>
          {m.audit.clear}
        </Button>
      )}
    </search>
  );
}

/** Returns all acts in words, in the order of the language, with the chosen one even where it has no words. */
function actionsOf(chosen: string, m: Messages): { value: string; label: string }[] {
  const names = Object.keys(m.audit.actions);
  if (chosen && !names.includes(chosen)) names.push(chosen);
  const options = names.map((value) => ({ value, label: capital(verbsOf(value, m)[1]) }));
  return options.sort((a, b) => a.label.localeCompare(b.label));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
