import { useState } from "preact/hooks";
import { Button } from "../../../ui/Button";
import { Select } from "../../../ui/Select";
import { TextInput } from "../../../ui/TextInput";
import { useMessages } from "../messages";
import styles from "./PlaceholderInsert.module.css";
import { tagPlaceholder } from "./placeholders";

interface PlaceholderInsertProps {
  categories: readonly string[];
  /** Places into which one may be inserted, where there are several. */
  targets?: readonly { value: string; label: string }[];
  onInsert: (text: string, target: string) => void;
}

/** Offers the tags of a person to stand in a text. */
export function PlaceholderInsert({ categories, targets = [], onInsert }: PlaceholderInsertProps) {
  const words = useMessages().broadcasts.compose;
  const [chosen, setCategory] = useState("");
  const [fallback, setFallback] = useState("");
  const [target, setTarget] = useState("0");
  const category = categories.includes(chosen) ? chosen : (categories[0] ?? "");
  if (category === "") return null;
  return (
    <div class={styles.insert}>
      <Select
        label={words.placeholder}
        value={category}
        options={categories.map((each) => ({ value: each, label: each }))}
        onChange={setCategory}
      />
      <TextInput
        label={words.placeholderFallback}
        hint={words.placeholderHint}
        value={fallback}
        onInput={setFallback}
      />
      {targets.length > 1 && (
        <Select
          label={words.insertInto}
          value={targets.some(({ value }) => value === target) ? target : "0"}
          options={targets}
          onChange={setTarget}
        />
      )}
      <Button onClick={() => onInsert(tagPlaceholder(category, fallback.trim()), target)}>
        {words.insert}
      </Button>
    </div>
  );
}
