import { formatCount } from "../../../i18n/format";
import { Checkbox } from "../../../ui/Checkbox";
import { Stack } from "../../../ui/Layout";
import { TextArea } from "../../../ui/TextArea";
import { TextInput } from "../../../ui/TextInput";
import { useMessages } from "../messages";
import type { ErrorAt } from "../parts/useFieldErrors";
import type { Draft } from "./draft";
import { PlaceholderInsert } from "./PlaceholderInsert";
import { byteLength } from "./placeholders";
import { TemplateFields } from "./TemplateFields";
import { useTextInsert } from "./useTextInsert";

export interface PartProps {
  draft: Draft;
  /** Categories whose tags may stand in a message. */
  categories: readonly string[];
  errorAt: ErrorAt;
  change: (change: Partial<Draft>) => void;
}

/** What a text may have at most, in bytes of UTF-8. */
const LONGEST_TEXT = 2_047;

/** Asks for what a message of the chosen kind holds. */
export function MessageFields(props: PartProps) {
  switch (props.draft.kind) {
    case null:
      return null;
    case "MASS_TEXT":
      return <Text {...props} place="message.massText.text" />;
    case "CUSTOMER_SERVICE_TEXT":
      return <Text {...props} place="message.customerServiceText.text" placeholders />;
    case "MASS_IMAGE":
      return <Images {...props} />;
    case "MASS_ARTICLE":
      return <Article {...props} />;
    case "TEMPLATE":
      return <TemplateFields {...props} place="message.template" />;
    case "SERVICE_SUBSCRIPTION":
      return <TemplateFields {...props} place="message.serviceSubscription" />;
    case "MINI_PROGRAM_SUBSCRIPTION":
      return <TemplateFields {...props} place="message.miniProgramSubscription" />;
  }
}

type TextProps = PartProps & { place: string; placeholders?: boolean };

function Text({ draft, categories, errorAt, change, place, placeholders = false }: TextProps) {
  const words = useMessages().broadcasts.compose;
  const { ref, insert } = useTextInsert((text) => change({ text }));
  const bytes = words.bytes(formatCount(byteLength(draft.text)), formatCount(LONGEST_TEXT));
  return (
    <Stack gap={3}>
      <TextArea
        label={words.text}
        hint={placeholders ? bytes : `${bytes} ${words.noPlaceholders}`}
        error={errorAt(place)}
        rows={5}
        inputRef={ref}
        value={draft.text}
        onInput={(text) => change({ text })}
      />
      {placeholders && <PlaceholderInsert categories={categories} onInsert={insert} />}
    </Stack>
  );
}

function Images({ draft, errorAt, change }: PartProps) {
  const words = useMessages().broadcasts.compose;
  return (
    <Stack gap={3}>
      <TextArea
        label={words.images}
        hint={words.imagesHint}
        error={errorAt("message.massImage.mediaIds")}
        mono
        value={draft.images}
        onInput={(images) => change({ images })}
      />
      <TextInput
        label={words.recommend}
        hint={words.recommendHint}
        error={errorAt("message.massImage.recommend")}
        value={draft.recommend}
        onInput={(recommend) => change({ recommend })}
      />
    </Stack>
  );
}

function Article({ draft, errorAt, change }: PartProps) {
  const words = useMessages().broadcasts.compose;
  return (
    <Stack gap={3}>
      <TextInput
        label={words.article}
        hint={words.articleHint}
        error={errorAt("message.massArticle.mediaId")}
        mono
        value={draft.article}
        onInput={(article) => change({ article })}
      />
      <Checkbox
        label={words.ignoreReprint}
        checked={draft.ignoreReprint}
        onChange={(ignoreReprint) => change({ ignoreReprint })}
      />
    </Stack>
  );
}
