import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Select } from "../../ui/Select";
import { TextInput } from "../../ui/TextInput";
import styles from "./Filters.module.css";
import { KINDS, type ListChoice, SORTS, STATES } from "./listChoice";

type FiltersProps = { choice: ListChoice; onChange: (choice: ListChoice) => void };

/** Lets choose which tags are shown, and in which order. */
export function Filters({ choice, onChange }: FiltersProps) {
  const m = useMessages();
  const narrowed = choice.search !== "" || choice.kind !== null || choice.state !== null;
  const all = { value: "" as const, label: m.tags.all };
  return (
    <search class={styles.filters} aria-label={m.tags.filters}>
      <div class={styles.search}>
        <TextInput
          type="search"
          label={m.tags.search}
          placeholder={m.tags.searchHint}
          value={choice.search}
          onInput={(search) => onChange({ ...choice, search })}
        />
      </div>
      <Select
        label={m.tags.kind}
        value={choice.kind ?? ""}
        options={[all, ...KINDS.map((kind) => ({ value: kind, label: m.common.kinds[kind] }))]}
        onChange={(kind) => onChange({ ...choice, kind: kind || null })}
      />
      <Select
        label={m.tags.state}
        value={choice.state ?? ""}
        options={[all, ...STATES.map((state) => ({ value: state, label: m.common.states[state] }))]}
        onChange={(state) => onChange({ ...choice, state: state || null })}
      />
      <Select
        label={m.tags.sort}
        value={choice.sort}
        options={SORTS.map((sort) => ({ value: sort, label: m.tags.sorts[sort] }))}
        onChange={(sort) => onChange({ ...choice, sort })}
      />
      {narrowed && (
        <Button variant="quiet" onClick={() => onChange({ ...choice, search: "", kind: null, state: null })}>
          {m.tags.clearFilters}
        </Button>
      )}
    </search>
  );
}
