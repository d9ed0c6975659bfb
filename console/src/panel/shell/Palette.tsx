import { useEffect, useId, useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { PaletteTagsDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { useMessages } from "../../i18n/messages";
import { SearchIcon } from "../../ui/icons";
import { TagChip } from "../../ui/TagChip";
import { useModal } from "../../ui/useModal";
import type { ChannelChoice } from "./ChannelSwitcher";
import { type Finding, findingsOf } from "./findings";
import styles from "./Palette.module.css";

type PaletteProps = {
  channels: readonly ChannelChoice[];
  channel: ChannelChoice | null;
  onClose: () => void;
};

const GROUPS = ["pages", "tags", "people", "channels"] as const;

/** Leads anywhere by a few letters: arrow keys choose, Enter goes, Escape leaves. */
export default function Palette({ channels, channel, onClose }: PaletteProps) {
  const m = useMessages();
  const ref = useModal(onClose);
  const id = useId();
  const [path, navigate] = useLocation();
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const tags = useTags(channel, text);
  const near = findingsOf(text, channels, channel, path, m);
  const all = [...near, ...tags];
  const found = GROUPS.flatMap((group) => all.filter((finding) => finding.group === group));
  const go = ({ href, beside }: Finding) => {
    onClose();
    if (beside) open(href, "_blank", "noopener");
    else navigate(href);
  };
  const key = (event: KeyboardEvent) => {
    const to = { ArrowDown: chosen + 1, ArrowUp: chosen - 1 }[event.key];
    const goal = found[chosen];
    if (to !== undefined && found.length > 0) {
      event.preventDefault();
      setChosen((to + found.length) % found.length);
    } else if (event.key === "Enter" && goal && !event.isComposing) {
      event.preventDefault();
      go(goal);
    }
  };
  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: "nearest" });
  }, [id, chosen]);
  return (
    <dialog ref={ref} class={styles.palette} aria-label={m.shell.palette.title}>
      <div class={styles.search}>
        <SearchIcon />
        <input
          role="combobox"
          aria-label={m.shell.palette.hint}
          placeholder={m.shell.palette.hint}
          aria-controls={`${id}-list`}
          aria-expanded={found.length > 0}
          aria-autocomplete="list"
          aria-activedescendant={found.length > 0 ? `${id}-${chosen}` : undefined}
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setChosen(0);
          }}
          onKeyDown={key}
        />
      </div>
      <div id={`${id}-list`} role="listbox" aria-label={m.shell.palette.title} class={styles.list}>
        {found.map((finding, index) => (
          <div
            key={finding.href}
            id={`${id}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            class={styles.option}
            onPointerMove={() => setChosen(index)}
            onClick={() => go(finding)}
            onKeyDown={key}
          >
            {finding.label}
            <span class={styles.detail}>{finding.detail ?? m.shell.palette[finding.group]}</span>
          </div>
        ))}
      </div>
      {found.length === 0 && <p class={styles.nothing}>{m.shell.palette.nothing}</p>}
      <p class="visually-hidden" role="status">
        {m.shell.palette.results(found.length)}
      </p>
    </dialog>
  );
}

const PAUSE = 150;

/** Finds tags of the channel by name and category, once the typing pauses. */
function useTags(channel: ChannelChoice | null, text: string): Finding[] {
  const m = useMessages();
  const sought = useSettled(text.trim());
  const { data } = useQuery(
    PaletteTagsDocument,
    { channelId: channel?.id ?? "", search: sought },
    { pause: channel === null || sought === "" },
  );
  if (channel === null || sought === "") return [];
  return (data?.channel?.tags.nodes ?? []).map(({ id, name, category, kind, state }) => ({
    group: "tags" as const,
    label: <TagChip kind={kind} kindLabel={m.common.kinds[kind]} state={state} name={name} />,
    detail: category,
    href: `/channels/${encodeURIComponent(channel.id)}/tags/${encodeURIComponent(id)}`,
  }));
}

function useSettled(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
