import type { RepeatEvery } from "../../../api/generated/graphql";
import { can } from "../../../app/viewer";
import { Checkbox } from "../../../ui/Checkbox";
import { Row, Stack } from "../../../ui/Layout";
import { RadioGroup } from "../../../ui/RadioGroup";
import { Select } from "../../../ui/Select";
import { TextInput } from "../../../ui/TextInput";
import { useMessages } from "../messages";
import type { ErrorAt } from "../parts/useFieldErrors";
import type { Draft } from "./draft";
import type { FormChannel } from "./KindField";
import { isMass } from "./kinds";

export interface WhenProps {
  draft: Draft;
  channel: FormChannel;
  errorAt: ErrorAt;
  change: (change: Partial<Draft>) => void;
  /** Of what there is already, less can be changed. */
  edited: { readonly isRun: boolean; readonly repeats: boolean } | null;
}

/** Asks when it is sent, how often, and to whom not. */
export function WhenFields(props: WhenProps) {
  const { draft, errorAt, change, edited } = props;
  const words = useMessages().broadcasts.compose;
  return (
    <Stack gap={4}>
      <TextInput
        label={words.name}
        hint={words.nameHint}
        maxLength={64}
        error={errorAt("name")}
        value={draft.name}
        onInput={(name) => change({ name })}
      />
      <RadioGroup
        label={words.start}
        inline
        value={draft.startsLater ? "later" : "now"}
        choices={[
          { value: "now", label: words.startsNow },
          { value: "later", label: words.startsLater },
        ]}
        onChange={(value) => change({ startsLater: value === "later" })}
      />
      {draft.startsLater && (
        <TextInput
          label={words.startAt}
          hint={words.startAtHint}
          type="datetime-local"
          error={errorAt("startAt")}
          value={draft.startAt}
          onInput={(startAt) => change({ startAt })}
        />
      )}
      <Repeat {...props} />
      <TextInput
        label={words.holdOut}
        hint={words.holdOutHint}
        type="number"
        min={0}
        max={50}
        error={errorAt("holdOutPercent")}
        value={draft.holdOut}
        onInput={(holdOut) => change({ holdOut })}
      />
      {!edited && <Rules {...props} />}
    </Stack>
  );
}

function Repeat({ draft, channel, errorAt, change, edited }: WhenProps) {
  const m = useMessages();
  const words = m.broadcasts.compose;
  if (draft.kind === "MASS_ARTICLE") return <p>{words.repeatNoArticles}</p>;
  if (edited?.isRun) return <p>{words.runOfSeries}</p>;
  const choices = (["NEVER", "DAY", "WEEK", "MONTH"] as const).filter(
    (every) => every !== "NEVER" || !edited?.repeats,
  );
  return (
    <>
      <Select
        label={words.repeat}
        hint={draft.repeats ? words.repeatHint : undefined}
        error={errorAt("repeat", "itself")}
        value={draft.repeats ?? "NEVER"}
        options={choices.map((value) => ({ value, label: words.repeats[value] }))}
        onChange={(value) => change({ repeats: value === "NEVER" ? null : (value as RepeatEvery) })}
      />
      {draft.repeats && (
        <Row gap={3} top>
          {draft.repeats === "WEEK" && (
            <Select
              label={words.weekday}
              error={errorAt("repeat.weekday")}
              value={String(draft.weekday)}
              options={m.broadcasts.weekdays.map((label, index) => ({ value: String(index + 1), label }))}
              onChange={(weekday) => change({ weekday: Number(weekday) })}
            />
          )}
          {draft.repeats === "MONTH" && (
            <TextInput
              label={words.dayOfMonth}
              type="number"
              min={1}
              max={28}
              error={errorAt("repeat.dayOfMonth")}
              value={String(draft.dayOfMonth)}
              onInput={(day) => change({ dayOfMonth: Number.parseInt(day, 10) || 0 })}
            />
          )}
          <TextInput
            label={words.repeatAt}
            hint={words.repeatAtHint(channel.broadcastPolicy.timeZone)}
            type="time"
            error={errorAt("repeat.at")}
            value={draft.repeatAt}
            onInput={(repeatAt) => change({ repeatAt })}
          />
          <TextInput
            label={`${words.repeatUntil} (${m.common.optional})`}
            type="datetime-local"
            error={errorAt("repeat.until")}
            value={draft.repeatUntil}
            onInput={(repeatUntil) => change({ repeatUntil })}
          />
        </Row>
      )}
    </>
  );
}

function Rules({ draft, channel, errorAt, change }: WhenProps) {
  const words = useMessages().broadcasts.compose;
  const reason = can("OVERRIDE_BROADCAST_POLICY") ? null : words.ignoreReason;
  const byTag = channel.kind === "SUBSCRIPTION_ACCOUNT" && draft.kind !== null && isMass(draft.kind);
  return (
    <>
      <TextInput
        label={words.onceOnly}
        hint={words.onceOnlyHint}
        maxLength={128}
        error={errorAt("onceOnly")}
        value={draft.onceOnly}
        onInput={(onceOnly) => change({ onceOnly })}
      />
      {byTag && (
        <Checkbox
          label={words.temporaryTag}
          hint={errorAt("temporaryTag") ?? words.temporaryTagHint}
          checked={draft.temporaryTag}
          onChange={(temporaryTag) => change({ temporaryTag })}
        />
      )}
      <Checkbox
        label={words.confirmDuplicate}
        checked={draft.confirmDuplicate}
        onChange={(confirmDuplicate) => change({ confirmDuplicate })}
      />
      <Checkbox
        label={words.ignoreCaps}
        checked={draft.ignoreCaps}
        reason={reason}
        onChange={(ignoreCaps) => change({ ignoreCaps })}
      />
      <Checkbox
        label={words.ignoreQuietHours}
        checked={draft.ignoreQuietHours}
        reason={reason}
        onChange={(ignoreQuietHours) => change({ ignoreQuietHours })}
      />
    </>
  );
}
