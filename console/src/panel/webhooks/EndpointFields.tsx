import type { ChannelCardFragment, WebhookEventType } from "../../api/generated/graphql";
import { Checkbox } from "../../ui/Checkbox";
import { CheckboxGroup } from "../../ui/CheckboxGroup";
import { Stack } from "../../ui/Layout";
import { RadioGroup } from "../../ui/RadioGroup";
import { Reason } from "../../ui/Reason";
import { Section } from "../../ui/Section";
import { TextArea } from "../../ui/TextArea";
import { TextInput } from "../../ui/TextInput";
import { type EndpointDraft, EVENT_GROUPS, withOrWithout } from "./form";
import { useMessages } from "./messages";
import { isNarrowed } from "./narrowed";
import { TagChoice } from "./TagChoice";

export interface EndpointFieldsProps {
  readonly draft: EndpointDraft;
  readonly onChange: (part: Partial<EndpointDraft>) => void;
  readonly errorAt: (name: string) => string | null;
  readonly channels: readonly ChannelCardFragment[];
  /** Whether the endpoint is there already. */
  readonly editing?: boolean;
}

/** Asks where an endpoint is, and what it is to be told. */
export function EndpointFields(props: EndpointFieldsProps) {
  const { webhooks } = useMessages();
  const { draft, onChange, errorAt, editing } = props;
  return (
    <>
      <TextInput
        label={webhooks.url}
        hint={editing ? `${webhooks.urlHint} ${webhooks.urlEditHint}` : webhooks.urlHint}
        error={errorAt("url")}
        type="url"
        mono
        required
        placeholder="https://hooks.example.com/user-tags"
        value={draft.url}
        onInput={(url) => onChange({ url })}
      />
      <TextArea
        label={webhooks.description}
        hint={webhooks.descriptionHint}
        error={errorAt("description")}
        rows={2}
        value={draft.description}
        onInput={(description) => onChange({ description })}
      />
      <Channels {...props} />
      <Events {...props} />
      <Tags {...props} />
    </>
  );
}

function Channels({ draft, onChange, errorAt, channels, editing }: EndpointFieldsProps) {
  const m = useMessages();
  const { webhooks } = m;
  return (
    <Stack gap={3}>
      <RadioGroup
        label={webhooks.channels}
        value={draft.everyChannel ? "all" : "some"}
        choices={[
          {
            value: "all",
            label: webhooks.everyChannel,
            hint: webhooks.everyChannelHint,
            reason: isNarrowed() ? webhooks.everyChannelReason : null,
          },
          {
            value: "some",
            label: webhooks.someChannels,
            hint: editing ? webhooks.channelsEditHint : undefined,
          },
        ]}
        onChange={(chosen) => onChange({ everyChannel: chosen === "all" })}
      />
      {!draft.everyChannel && channels.length === 0 && <Reason>{webhooks.noChannels}</Reason>}
      {!draft.everyChannel && channels.length > 0 && (
        <CheckboxGroup label={webhooks.whichChannels} error={errorAt("channelIds")}>
          {channels.map(({ id, name, kind }) => (
            <Checkbox
              key={id}
              label={name}
              hint={m.common.channelKinds[kind]}
              checked={draft.channelIds.includes(id)}
              onChange={(chosen) => onChange({ channelIds: withOrWithout(draft.channelIds, id, chosen) })}
            />
          ))}
        </CheckboxGroup>
      )}
    </Stack>
  );
}

function Events({ draft, onChange, errorAt, editing }: EndpointFieldsProps) {
  const { webhooks } = useMessages();
  const error = errorAt("events");
  const boxes = (events: readonly WebhookEventType[]) =>
    events.map((event) => (
      <Checkbox
        key={event}
        label={webhooks.eventWords[event]}
        hint={<code>{wireNameOf(event)}</code>}
        checked={draft.events.includes(event)}
        onChange={(chosen) => onChange({ events: withOrWithout(draft.events, event, chosen) })}
      />
    ));
  return (
    <Section title={webhooks.events} level={3} description={editing ? undefined : webhooks.eventsHint}>
      <CheckboxGroup label={webhooks.groups.people} error={error}>
        {boxes(EVENT_GROUPS.people)}
      </CheckboxGroup>
      <CheckboxGroup label={webhooks.groups.tags}>{boxes(EVENT_GROUPS.tags)}</CheckboxGroup>
      <CheckboxGroup label={webhooks.groups.rest}>{boxes(EVENT_GROUPS.rest)}</CheckboxGroup>
    </Section>
  );
}

/** Returns what receivers call an event, like `user.tags_changed`. */
export function wireNameOf(event: WebhookEventType): string {
  return event.toLowerCase().replace("_", ".");
}

function Tags({ draft, onChange, errorAt, channels }: EndpointFieldsProps) {
  const { webhooks } = useMessages();
  const followed = draft.everyChannel ? channels : channels.filter(({ id }) => draft.channelIds.includes(id));
  return (
    <Stack gap={3}>
      <RadioGroup
        label={webhooks.tags}
        value={draft.everyTag ? "all" : "some"}
        error={errorAt("tagIds")}
        choices={[
          { value: "all", label: webhooks.everyTag, hint: webhooks.everyTagHint },
          { value: "some", label: webhooks.someTagsOnly, hint: webhooks.someTagsHint },
        ]}
        onChange={(chosen) => onChange({ everyTag: chosen === "all" })}
      />
      {!draft.everyTag && (
        <TagChoice channels={followed} chosen={draft.tags} onChange={(tags) => onChange({ tags })} />
      )}
    </Stack>
  );
}
