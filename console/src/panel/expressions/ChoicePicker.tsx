import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useMessages } from "../../i18n/messages";
import { Count } from "../../ui/Count";
import { classes } from "../../ui/classes";
import { StateBadge } from "../../ui/StateBadge";
import { TagChip } from "../../ui/TagChip";
import styles from "./ChoicePicker.module.css";
import { type Choice, keyOfChoice, nameOfChoice, nextPlace } from "./choices";
import { useEditing } from "./editing";
import { useChoices } from "./useChoices";

interface ChoicePickerProps {
  readonly label: string;
  readonly onPick: (choice: Choice) => void;
  /** Puts the focus here at once. */
  readonly autofocus?: boolean;
  /** Is called on Escape in an empty field: where to go from here. */
  readonly onCancel?: () => void;
}

/** A field to search a tag, or another part of an expression, and to choose it (combobox with a list). */
export function ChoicePicker({ label, onPick, autofocus, onCancel }: ChoicePickerProps) {
  const m = useMessages().expressions;
  const { channel, allowed, unusable } = useEditing();
  const id = useId();
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [place, setPlace] = useState(-1);
  // Enter was pressed before what was typed had been searched.
  const [decided, setDecided] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const { choices, totalTags, shownTags, searching } = useChoices(channel, text, allowed, !open, m);
  const reasons = choices.map((choice) => (choice.kind === "tag" ? unusable(choice.tag) : null));

  // biome-ignore lint/correctness/useExhaustiveDependencies: only when it appears
  useEffect(() => {
    if (autofocus) input.current?.focus();
  }, []);
  useEffect(() => {
    if (open) document.getElementById(`${id}-${place}`)?.scrollIntoView({ block: "nearest" });
  }, [id, open, place]);

  const close = () => {
    setOpen(false);
    setPlace(-1);
    setDecided(false);
  };
  const pick = (at: number) => {
    const choice = choices[at];
    if (!choice || reasons[at]) return;
    setText("");
    close();
    onPick(choice);
  };
  // What is listed may still be what was found for another text.
  const firstFitting = choices.findIndex((choice, at) => reasons[at] === null && fits(choice, text, m));
  // biome-ignore lint/correctness/useExhaustiveDependencies: as soon as something is found
  useEffect(() => {
    if (decided && !searching && firstFitting >= 0) pick(firstFitting);
  }, [decided, searching, firstFitting]);
  const decide = () => {
    if (!open) setOpen(true);
    else if (place >= 0) pick(place);
    else if (text.trim()) setDecided(true);
  };
  const step = (by: 1 | -1) => {
    setOpen(true);
    setPlace(nextPlace(place, by, choices.length));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const keys: Record<string, () => void> = {
      ArrowDown: () => step(1),
      ArrowUp: () => step(-1),
      Enter: decide,
      Escape: () => {
        if (open) close();
        else if (text) setText("");
        else onCancel?.();
      },
    };
    const act = keys[event.key];
    if (!act || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  return (
    <div class={styles.picker}>
      <input
        ref={input}
        type="text"
        role="combobox"
        class={styles.input}
        aria-label={label}
        aria-expanded={open}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={open && place >= 0 ? `${id}-${place}` : undefined}
        placeholder={label}
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setPlace(-1);
          setDecided(false);
          setOpen(true);
        }}
        onClick={() => setOpen(true)}
        onBlur={close}
        onKeyDown={onKeyDown}
      />
      <div class={styles.popup} hidden={!open}>
        <div id={`${id}-list`} role="listbox" aria-label={label} class={styles.list}>
          {choices.map((choice, at) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: keys go to the field
            // biome-ignore lint/a11y/useFocusableInteractive: the field points at it
            <div
              key={keyOfChoice(choice)}
              id={`${id}-${at}`}
              role="option"
              aria-selected={at === place}
              aria-disabled={reasons[at] ? true : undefined}
              class={classes(styles.option, at === place && styles.current)}
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => pick(at)}
            >
              <ChoiceLine choice={choice} reason={reasons[at] ?? null} />
            </div>
          ))}
        </div>
        <p class={styles.foot} role="status">
          {searching ? m.searching : footOf(choices.length, shownTags, totalTags, text !== "", m)}
        </p>
      </div>
    </div>
  );
}

function fits(choice: Choice, text: string, m: ReturnType<typeof useMessages>["expressions"]): boolean {
  const said = choice.kind === "tag" ? `${choice.tag.category} ${choice.tag.name}` : nameOfChoice(choice, m);
  return said.toLowerCase().includes(text.trim().toLowerCase());
}

function footOf(
  count: number,
  shown: number,
  total: number,
  searched: boolean,
  m: ReturnType<typeof useMessages>["expressions"],
): string {
  if (count === 0) return searched ? m.nothingFound : m.noTags;
  return total > shown ? m.shown(String(shown), String(total)) : m.results(String(count));
}

function ChoiceLine({ choice, reason }: { choice: Choice; reason: string | null }) {
  const all = useMessages();
  const m = all.expressions;
  if (choice.kind !== "tag") return <span class={styles.name}>{nameOfChoice(choice, m)}</span>;
  const { tag } = choice;
  return (
    <>
      <span class={styles.name}>
        <TagChip kind={tag.kind} name={tag.name} state={tag.state} />
        <span class={styles.category}>{tag.category}</span>
        {tag.state !== "ACTIVE" && <StateBadge state={tag.state}>{all.common.states[tag.state]}</StateBadge>}
      </span>
      {reason ? (
        <span class={styles.reason}>{reason}</span>
      ) : (
        <span class={styles.count}>
          <Count value={tag.memberCount} />
        </span>
      )}
    </>
  );
}
