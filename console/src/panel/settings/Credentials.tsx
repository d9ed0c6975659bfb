import { useState } from "preact/hooks";
import { type ChannelSettingsFragment, UpdateChannelDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { fieldText } from "../../app/fieldText";
import { Button } from "../../ui/Button";
import { Checkbox } from "../../ui/Checkbox";
import { Copy } from "../../ui/Copy";
import { Form } from "../../ui/Form";
import { Row } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { StateBadge } from "../../ui/StateBadge";
import { TextInput } from "../../ui/TextInput";
import { showToast } from "../../ui/toast";
import styles from "./Credentials.module.css";
import {
  type CredentialsDraft,
  changesIn,
  drawSecret,
  malformed,
  NOTHING_ENTERED,
  SECRETS,
  type Secret,
  type SecretDraft,
} from "./credentials";
import { useMessages } from "./messages";

const DRAWN: Partial<Record<Secret, number>> = { callbackToken: 32, encodingAesKey: 43 };

/** Says which secrets of a channel are set, and takes new ones; none is ever shown. */
export function Credentials({ channel }: { channel: ChannelSettingsFragment }) {
  const m = useMessages();
  const [draft, setDraft] = useState(NOTHING_ENTERED);
  const [tried, setTried] = useState(false);
  const { run, busy, problem } = useMutation(UpdateChannelDocument);
  const changes = changesIn(draft);
  const wrong = malformed(draft);
  const save = async () => {
    setTried(true);
    if (busy || wrong.length > 0 || Object.keys(changes).length === 0) return;
    if (!(await run({ input: { id: channel.id, ...changes } })).data) return;
    setDraft(NOTHING_ENTERED);
    setTried(false);
    showToast({ text: m.settings.credentialsSaved });
  };
  return (
    <Section title={m.settings.credentials} description={m.settings.credentialsHint} card>
      <Form
        label={m.settings.credentials}
        onSubmit={save}
        footer={
          <>
            <Button type="submit" variant="primary" busy={busy}>
              {m.settings.saveCredentials}
            </Button>
            {tried && Object.keys(changes).length === 0 && (
              <span role="status">{m.settings.nothingToSave}</span>
            )}
          </>
        }
      >
        <ApiProblem problem={problem} />
        {SECRETS.map((secret) => (
          <SecretInput
            key={secret}
            secret={secret}
            isSet={channel.credentials?.[`${secret}Set`] ?? false}
            draft={draft[secret]}
            error={
              errorOf(secret, tried && wrong.includes(secret), m.settings) ?? fieldText(problem, secret, m)
            }
            onChange={(changed) => setDraft({ ...draft, [secret]: changed } as CredentialsDraft)}
          />
        ))}
      </Form>
    </Section>
  );
}

function errorOf(
  secret: Secret,
  wrong: boolean,
  words: { badToken: string; badAesKey: string },
): string | null {
  if (!wrong) return null;
  return secret === "callbackToken" ? words.badToken : words.badAesKey;
}

type SecretInputProps = {
  secret: Secret;
  isSet: boolean;
  draft: SecretDraft;
  error: string | null;
  onChange: (draft: SecretDraft) => void;
};

function SecretInput({ secret, isSet, draft, error, onChange }: SecretInputProps) {
  const m = useMessages();
  // What was drawn here must be copied to WeChat; what was typed is known there.
  const [drawn, setDrawn] = useState<string | null>(null);
  const label = m.settings[secret];
  const length = DRAWN[secret];
  const draw = () => {
    const text = drawSecret(length ?? 0);
    setDrawn(text);
    onChange({ text, remove: false });
  };
  const shown = drawn !== null && draft.text === drawn;
  const hint = (
    <>
      <StateBadge tone={isSet ? "positive" : "neutral"} line={isSet ? "solid" : "dashed"}>
        {isSet ? m.settings.set : m.settings.notSet}
      </StateBadge>{" "}
      {m.settings[`${secret}Hint`]} {isSet && m.settings.replace}
    </>
  );
  return (
    <div class={styles.secret}>
      <TextInput
        label={label}
        hint={hint}
        error={error}
        type={shown ? "text" : "password"}
        autocomplete="new-password"
        mono
        value={draft.text}
        readOnly={draft.remove}
        onInput={(text) => onChange({ text, remove: false })}
      />
      {length !== undefined && (
        <Row>
          <Button size="small" onClick={draw}>
            {m.settings.draw}
            <span class="visually-hidden"> ({label})</span>
          </Button>
          {shown && <Copy text={draft.text} label={m.common.copy} copiedLabel={m.common.copied} />}
        </Row>
      )}
      {isSet && (
        <Checkbox
          label={m.settings.remove(label)}
          hint={secret === "encodingAesKey" ? m.settings.removeAes : undefined}
          checked={draft.remove}
          onChange={(remove) => onChange({ text: "", remove })}
        />
      )}
    </div>
  );
}
