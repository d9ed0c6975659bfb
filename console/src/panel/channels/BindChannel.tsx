import { useState } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { type BindChannelInput, BindNewChannelDocument, ViewerDocument } from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import type { Problem } from "../../api/problem";
import { ApiProblem } from "../../app/ApiProblem";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Checkbox } from "../../ui/Checkbox";
import { Dialog } from "../../ui/Dialog";
import { RadioGroup } from "../../ui/RadioGroup";
import { Section } from "../../ui/Section";
import { TextInput } from "../../ui/TextInput";
import { showToast } from "../../ui/toast";

const KINDS = ["SERVICE_ACCOUNT", "SUBSCRIPTION_ACCOUNT", "MINI_PROGRAM"] as const;

type Filled = Required<{ [Name in keyof BindChannelInput]: NonNullable<BindChannelInput[Name]> }>;
type TextName = "appId" | "name" | "appSecret" | "callbackToken" | "encodingAesKey";

/** Binds a WeChat account to the robot; `again` reads the channels anew. */
export function BindChannel({ again, onClose }: { again: () => void; onClose: () => void }) {
  const m = useMessages();
  const words = m.channels.form;
  const [params] = useSearchParams();
  const [filled, setFilled] = useState<Filled>(() => ({
    kind: KINDS.find((kind) => kind === params.get("bind")) ?? "SERVICE_ACCOUNT",
    appId: params.get("appId") ?? "",
    name: params.get("name") ?? "",
    verified: true,
    appSecret: "",
    callbackToken: "",
    encodingAesKey: "",
  }));
  const { run, busy, problem } = useMutation(BindNewChannelDocument);
  const viewer = useQuery(ViewerDocument, {}, { policy: "cache-first" });
  const fill = <Name extends keyof Filled>(name: Name, value: Filled[Name]) =>
    setFilled((before) => ({ ...before, [name]: value }));
  const bind = async () => {
    const { data } = await run({ input: withoutBlanks(filled) });
    if (!data?.bindChannel) return;
    again();
    viewer.again();
    const { channel, followerImport } = data.bindChannel;
    showToast({ text: followerImport ? words.importing(channel.name) : words.done(channel.name) });
    onClose();
  };
  const text = (name: TextName, label: string, hint?: string) => (
    <TextInput
      label={label}
      hint={hint}
      error={faultOf(problem, name)}
      value={filled[name]}
      onInput={(value) => fill(name, value)}
      mono={name !== "name"}
      type={name === "appId" || name === "name" ? "text" : "password"}
      autocomplete="off"
    />
  );
  return (
    <Dialog
      open
      title={m.channels.bind}
      closeLabel={m.common.close}
      onClose={onClose}
      onSubmit={bind}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {words.submit}
          </Button>
        </>
      }
    >
      <RadioGroup
        label={words.kind}
        value={filled.kind}
        choices={KINDS.map((kind) => ({
          value: kind,
          label: m.common.channelKinds[kind],
          hint: words.kindHints[kind],
        }))}
        onChange={(kind) => fill("kind", kind)}
      />
      {text("appId", words.appId, words.appIdHint)}
      {text("name", words.name, words.nameHint)}
      <Checkbox
        label={words.verified}
        checked={filled.verified}
        onChange={(verified) => fill("verified", verified)}
      />
      <Section title={words.secrets} description={words.secretsHint} level={3}>
        {text("appSecret", words.appSecret, words.appSecretHint)}
        {text("callbackToken", words.callbackToken)}
        {text("encodingAesKey", words.encodingAesKey, words.encodingAesKeyHint)}
      </Section>
      <ApiProblem problem={problem} />
    </Dialog>
  );
}

/** An empty text would remove a credential that is stored; what is not given stays. */
function withoutBlanks(filled: Filled): BindChannelInput {
  const { kind, appId, name, verified, ...secrets } = filled;
  const given = Object.entries(secrets).filter(([, value]) => value.trim() !== "");
  return { kind, appId: appId.trim(), name: name.trim(), verified, ...Object.fromEntries(given) };
}

function faultOf(problem: Problem | null, name: string): string | null {
  return problem?.fields.find(({ path }) => path.at(-1) === name)?.message ?? null;
}
