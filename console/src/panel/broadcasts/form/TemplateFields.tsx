import { Button } from "../../../ui/Button";
import { IconButton } from "../../../ui/IconButton";
import { PlusIcon, TrashIcon } from "../../../ui/icons";
import { Stack } from "../../../ui/Layout";
import { Section } from "../../../ui/Section";
import { TextInput } from "../../../ui/TextInput";
import { useMessages } from "../messages";
import type { DraftField } from "./draft";
import { isGiven } from "./inputs";
import type { PartProps } from "./MessageFields";
import { OpensFields } from "./OpensFields";
import { PlaceholderInsert } from "./PlaceholderInsert";
import styles from "./TemplateFields.module.css";

const MOST_FIELDS = 20;

/** Asks for a template, its fields, and what opens when the message is tapped; `place` is where they are in the input. */
export function TemplateFields({ place, ...props }: PartProps & { place: string }) {
  const { draft, categories, errorAt, change } = props;
  const words = useMessages().broadcasts.compose;
  const { fields } = draft;
  const set = (index: number, field: Partial<DraftField>) =>
    change({ fields: fields.map((each, at) => (at === index ? { ...each, ...field } : each)) });
  // Only what is given is sent, and the service counts what it was sent.
  const placeOf = (index: number) => `${place}.data.${fields.slice(0, index).filter(isGiven).length}`;
  const nameOf = (index: number) => fields[index]?.key || words.fieldOf(index + 1);
  return (
    <Stack gap={4}>
      <TextInput
        label={words.templateId}
        hint={words.templateIdHint}
        error={errorAt(`${place}.templateId`) ?? errorAt("templateId")}
        mono
        value={draft.templateId}
        onInput={(templateId) => change({ templateId })}
      />
      <Section level={3} title={words.fields} description={words.fieldsHint}>
        {fields.map((field, index) => (
          <fieldset key={index} class={styles.field}>
            <legend class="visually-hidden">{words.fieldOf(index + 1)}</legend>
            <TextInput
              label={words.fieldName}
              mono
              placeholder="thing1"
              error={isGiven(field) ? errorAt(`${placeOf(index)}.key`) : null}
              value={field.key}
              onInput={(key) => set(index, { key })}
            />
            <TextInput
              label={words.fieldValue}
              error={isGiven(field) ? errorAt(`${placeOf(index)}.value`) : null}
              value={field.value}
              onInput={(value) => set(index, { value })}
            />
            <IconButton
              label={words.removeField(nameOf(index))}
              icon={<TrashIcon />}
              onClick={() => change({ fields: fields.filter((_, at) => at !== index) })}
            />
          </fieldset>
        ))}
        {fields.length < MOST_FIELDS && (
          <div>
            <Button
              size="small"
              icon={<PlusIcon size={14} />}
              onClick={() => change({ fields: [...fields, { key: "", value: "" }] })}
            >
              {words.addField}
            </Button>
          </div>
        )}
        {fields.length > 0 && (
          <PlaceholderInsert
            categories={categories}
            targets={fields.map((_, index) => ({ value: String(index), label: nameOf(index) }))}
            onInsert={(text, target) => {
              const index = Number(target);
              set(index, { value: (fields[index]?.value ?? "") + text });
            }}
          />
        )}
      </Section>
      <OpensFields {...props} place={place} />
    </Stack>
  );
}
