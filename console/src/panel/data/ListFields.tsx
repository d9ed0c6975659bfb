import type { ComponentChildren } from "preact";
import type { ReturnFormQuery, ReturnMode } from "../../api/generated/graphql";
import { useMessages } from "../../i18n/messages";
import { Fact, Facts } from "../../ui/Layout";
import { Select } from "../../ui/Select";
import { TextArea } from "../../ui/TextArea";
import { TextInput } from "../../ui/TextInput";
import type { ListDraft } from "./listDraft";
import type { ReturnTagOfList } from "./NewReturnPage";
import type { LackTexts } from "./useLackTexts";

type ListFieldsProps = {
  draft: ListDraft;
  onChange: (part: Partial<ListDraft>) => void;
  texts: LackTexts;
  channel: NonNullable<ReturnFormQuery["channel"]>;
  channels: ReturnFormQuery["channels"];
  tag: ReturnTagOfList | null;
  mode: ReturnMode;
  modeInput: ComponentChildren;
};

/** Asks which tag a list is for, what it does, whose openids it has and when it ends. */
export function ListFields({
  draft,
  onChange,
  texts,
  channel,
  channels,
  tag,
  mode,
  modeInput,
}: ListFieldsProps) {
  const m = useMessages();
  const others = channels.filter(({ id }) => id !== channel.id);
  return (
    <>
      {tag ? (
        <Facts>
          <Fact label={m.data.category}>{tag.returnCategory}</Fact>
          <Fact label={m.data.label}>{tag.returnLabel}</Fact>
        </Facts>
      ) : (
        <NewTagFields draft={draft} onChange={onChange} texts={texts} />
      )}
      {modeInput}
      {others.length > 0 && (
        <Select
          label={m.data.openidsOf}
          hint={m.data.openidsOfHint}
          value={draft.openidsOf}
          options={[
            { value: "", label: m.data.thisChannel(channel.name) },
            ...others.map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={(openidsOf) => onChange({ openidsOf })}
        />
      )}
      {mode === "ADD" && (
        <TextInput
          type="datetime-local"
          label={`${m.data.expires} (${m.common.optional})`}
          hint={m.data.expiresHint}
          error={texts.expires}
          value={draft.expires}
          onInput={(expires) => onChange({ expires })}
        />
      )}
    </>
  );
}

function NewTagFields({ draft, onChange, texts }: Pick<ListFieldsProps, "draft" | "onChange" | "texts">) {
  const m = useMessages();
  return (
    <>
      <TextInput
        label={m.data.category}
        hint={m.data.categoryHint}
        error={texts.category}
        value={draft.category}
        maxLength={64}
        required
        onInput={(category) => onChange({ category })}
      />
      <TextInput
        label={m.data.label}
        hint={m.data.labelHint}
        error={texts.label}
        value={draft.label}
        maxLength={64}
        required
        onInput={(label) => onChange({ label })}
      />
      <TextArea
        label={`${m.data.description} (${m.common.optional})`}
        hint={m.data.descriptionHint}
        error={texts.description}
        value={draft.description}
        rows={2}
        maxLength={1_000}
        onInput={(description) => onChange({ description })}
      />
    </>
  );
}
