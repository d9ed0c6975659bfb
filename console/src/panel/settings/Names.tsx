import { useState } from "preact/hooks";
import {
  type ChannelSettingsFragment,
  ChannelsDocument,
  UpdateChannelDocument,
} from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { fieldText } from "../../app/fieldText";
import { Button } from "../../ui/Button";
import { Checkbox } from "../../ui/Checkbox";
import { Form } from "../../ui/Form";
import { Problem } from "../../ui/Problem";
import { Section } from "../../ui/Section";
import { TextInput } from "../../ui/TextInput";
import { showToast } from "../../ui/toast";
import { isLastKey } from "./gateKeeping";
import { useMessages } from "./messages";

/** Changes the name of a channel and whether it is verified; the change can be taken back. */
export function Names({ channel, again }: { channel: ChannelSettingsFragment; again: () => void }) {
  const m = useMessages();
  const [name, setName] = useState(channel.name);
  const [verified, setVerified] = useState(channel.verified);
  const [tried, setTried] = useState(false);
  const { run, busy, problem } = useMutation(UpdateChannelDocument);
  const channels = useQuery(ChannelsDocument, {}).data?.channels ?? [];
  const { id } = channel;
  const before = { name: channel.name, verified: channel.verified };
  const undo = async () => {
    if (!(await run({ input: { id, ...before } })).data) return;
    showToast({ text: m.settings.savedBack });
    again();
  };
  const save = async () => {
    setTried(true);
    if (name.trim() === "" || busy) return;
    if (!(await run({ input: { id, name, verified } })).data) return;
    showToast({ text: m.settings.saved, undo: { label: m.common.undo, run: undo } });
    again();
  };
  return (
    <Section title={m.settings.names} card>
      <Form
        label={m.settings.names}
        onSubmit={save}
        footer={
          <Button type="submit" variant="primary" busy={busy}>
            {m.common.save}
          </Button>
        }
      >
        <ApiProblem problem={problem} />
        <TextInput
          label={m.settings.name}
          hint={m.settings.nameHint}
          error={tried && name.trim() === "" ? m.settings.nameMissing : fieldText(problem, "name", m)}
          value={name}
          maxLength={64}
          required
          onInput={setName}
        />
        <Checkbox
          label={m.settings.verified}
          hint={m.settings.verifiedHint}
          checked={verified}
          onChange={setVerified}
        />
        {!verified && isLastKey(channel, channels) && (
          <Problem tone="caution" title={m.settings.closesGate} />
        )}
      </Form>
    </Section>
  );
}
