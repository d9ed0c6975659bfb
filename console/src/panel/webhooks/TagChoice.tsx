import { useState } from "preact/hooks";
import {
  type ChannelCardFragment,
  WebhookTagChoicesDocument,
  type WebhookTagFragment,
} from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { formatCount } from "../../i18n/format";
import { Row, Stack } from "../../ui/Layout";
import { Reason } from "../../ui/Reason";
import { Section } from "../../ui/Section";
import { Select } from "../../ui/Select";
import { TagChip } from "../../ui/TagChip";
import { TextInput } from "../../ui/TextInput";
import { useSettled } from "../expressions/useSettled";
import { useMessages } from "./messages";
import styles from "./Webhooks.module.css";

/** How long to wait for more to be typed, in milliseconds. */
const PAUSE = 150;

interface TagChoiceProps {
  /** The channels whose tags can be chosen. */
  readonly channels: readonly ChannelCardFragment[];
  readonly chosen: readonly WebhookTagFragment[];
  readonly onChange: (chosen: readonly WebhookTagFragment[]) => void;
}

/** Chooses tags of several channels, by searching them in one after the other. */
export function TagChoice({ channels, chosen, onChange }: TagChoiceProps) {
  const m = useMessages();
  const { webhooks } = m;
  const [wanted, setWanted] = useState("");
  const channel = channels.find(({ id }) => id === wanted) ?? channels[0];
  return (
    <Section title={webhooks.chosenTags} level={3}>
      {chosen.length === 0 && <p class={styles.muted}>{webhooks.noTagsChosen}</p>}
      <Row>
        {chosen.map((tag) => (
          <TagChip
            key={tag.id}
            kind={tag.kind}
            kindLabel={m.common.kinds[tag.kind]}
            name={tag.deletedAt === null ? tag.name : `${tag.name} (${webhooks.deletedTag})`}
            state={tag.state}
            removeLabel={webhooks.removeTag(tag.name)}
            onRemove={() => onChange(chosen.filter(({ id }) => id !== tag.id))}
          />
        ))}
      </Row>
      {channels.length > 1 && channel && (
        <Select
          label={webhooks.tagChannel}
          value={channel.id}
          options={channels.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={setWanted}
        />
      )}
      {channel ? (
        <Search channel={channel.id} chosen={chosen} onPick={(tag) => onChange([...chosen, tag])} />
      ) : (
        <Reason>{webhooks.chooseChannelFirst}</Reason>
      )}
    </Section>
  );
}

interface SearchProps {
  readonly channel: string;
  readonly chosen: readonly WebhookTagFragment[];
  readonly onPick: (tag: WebhookTagFragment) => void;
}

function Search({ channel, chosen, onPick }: SearchProps) {
  const m = useMessages();
  const { webhooks } = m;
  const [text, setText] = useState("");
  const search = useSettled(text.trim(), PAUSE);
  const { data } = useQuery(WebhookTagChoicesDocument, { channel, search: search || null });
  const found = data?.channel?.tags;
  const offered = (found?.nodes ?? []).filter(({ id }) => !chosen.some((each) => each.id === id));
  return (
    <Stack gap={2}>
      <TextInput label={webhooks.findTag} type="search" value={text} onInput={setText} />
      <fieldset aria-label={webhooks.foundTags}>
        <Row>
          {offered.map((tag) => (
            <TagChip
              key={tag.id}
              kind={tag.kind}
              kindLabel={m.common.kinds[tag.kind]}
              name={tag.name}
              state={tag.state}
              onClick={() => onPick(tag)}
            />
          ))}
        </Row>
      </fieldset>
      {found && found.totalCount === 0 && <p class={styles.muted}>{webhooks.noTagFound}</p>}
      {found && found.totalCount > found.nodes.length && (
        <p class={styles.muted}>
          {webhooks.moreTags(formatCount(found.nodes.length), formatCount(found.totalCount))}
        </p>
      )}
    </Stack>
  );
}
