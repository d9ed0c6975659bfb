import { Stack } from "../../../ui/Layout";
import { RadioGroup } from "../../../ui/RadioGroup";
import { TextInput } from "../../../ui/TextInput";
import { useMessages } from "../messages";
import type { Opens } from "./draft";
import type { PartProps } from "./MessageFields";

/** Asks what opens when somebody taps the message. */
export function OpensFields({ draft, errorAt, change, place }: PartProps & { place: string }) {
  const words = useMessages().broadcasts.compose;
  const ownPages = draft.kind === "MINI_PROGRAM_SUBSCRIPTION";
  const choices: readonly Opens[] = ownPages
    ? ["NOTHING", "MINI_PROGRAM"]
    : ["NOTHING", "ADDRESS", "MINI_PROGRAM"];
  const opens = choices.includes(draft.opens) ? draft.opens : "NOTHING";
  const addressPlace = draft.kind === "TEMPLATE" ? `${place}.url` : `${place}.page`;
  const pagePlace = ownPages ? `${place}.page` : `${place}.miniProgram.page`;
  return (
    <Stack gap={3}>
      <RadioGroup
        label={words.opens}
        inline
        value={opens}
        choices={choices.map((value) => ({ value, label: words.opensKinds[value] }))}
        onChange={(value) => change({ opens: value })}
      />
      {opens === "ADDRESS" && (
        <TextInput
          label={words.address}
          hint={words.addressHint}
          type="url"
          error={errorAt(addressPlace)}
          value={draft.address}
          onInput={(address) => change({ address })}
        />
      )}
      {opens === "MINI_PROGRAM" && !ownPages && (
        <TextInput
          label={words.miniProgram}
          mono
          error={errorAt(`${place}.miniProgram.appId`)}
          value={draft.miniProgram}
          onInput={(miniProgram) => change({ miniProgram })}
        />
      )}
      {opens === "MINI_PROGRAM" && (
        <TextInput
          label={words.page}
          hint={words.pageHint}
          error={errorAt(pagePlace)}
          value={draft.page}
          onInput={(page) => change({ page })}
        />
      )}
    </Stack>
  );
}
