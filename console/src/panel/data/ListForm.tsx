import { useMemo, useState } from "preact/hooks";
import type { ReturnFormQuery, ReturnMode } from "../../api/generated/graphql";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Form } from "../../ui/Form";
import { RadioGroup } from "../../ui/RadioGroup";
import { ConfirmReplace } from "./ConfirmReplace";
import { FileInput } from "./FileInput";
import { ListFields } from "./ListFields";
import { ListSent } from "./ListSent";
import { type ListDraft, lacksOf } from "./listDraft";
import type { ReturnTagOfList } from "./NewReturnPage";
import { readOpenids } from "./openidList";
import { PasteInput } from "./PasteInput";
import { UploadStatus } from "./UploadStatus";
import { useLackTexts } from "./useLackTexts";
import { useListChoice } from "./useListChoice";
import { useSending } from "./useSending";

type ListFormProps = {
  channel: NonNullable<ReturnFormQuery["channel"]>;
  channels: ReturnFormQuery["channels"];
  tag: ReturnTagOfList | null;
};

/** Asks for a list, sends it, and shows what became of it. */
export function ListForm({ channel, channels, tag }: ListFormProps) {
  const m = useMessages();
  const { mode, origin, draft, setDraft, setMode, setOrigin } = useListChoice(tag);
  const [tried, setTried] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const given = useMemo(() => readOpenids(draft.text), [draft.text]);
  const sending = useSending(channel.id);
  const { columns, problem } = sending;
  const lacks = lacksOf(draft, mode, origin, given, { columns, now: Date.now() });
  const texts = useLackTexts(tried ? lacks : new Set(), problem, given.entries.length);
  const send = () => {
    setConfirming(false);
    void sending.send(draft, mode, origin, given);
  };
  const submit = () => {
    setTried(true);
    if (lacks.size > 0 || sending.busy) return;
    if (mode === "REPLACE" && tag) setConfirming(true);
    else send();
  };
  const change = (part: Partial<ListDraft>) => {
    setDraft({ ...draft, ...part });
    if ("file" in part) sending.forgetFile();
  };
  if (sending.sent) {
    return (
      <ListSent
        sent={sending.sent}
        onAnother={() => {
          sending.startAnew();
          setTried(false);
          setDraft({ ...draft, text: "", allowRejected: false });
        }}
      />
    );
  }
  return (
    <Form
      onSubmit={submit}
      footer={
        <Button type="submit" variant={mode === "ADD" ? "primary" : "danger"} busy={sending.busy}>
          {sending.upload.state.kind === "failed" ? m.data.again : m.data.submit[mode]}
        </Button>
      }
    >
      <ListFields
        draft={draft}
        onChange={change}
        texts={texts}
        channel={channel}
        channels={channels}
        tag={tag}
        mode={mode}
        modeInput={tag && <ModeInput mode={mode} origin={origin} onChange={setMode} />}
      />
      <RadioGroup
        label={m.data.from}
        value={origin}
        inline
        choices={[
          { value: "paste", label: m.data.paste },
          { value: "file", label: m.data.file, reason: mode === "REPLACE" ? m.data.replaceFile : null },
        ]}
        onChange={setOrigin}
      />
      {origin === "paste" ? (
        <PasteInput
          text={draft.text}
          given={given}
          mode={mode}
          allowRejected={draft.allowRejected}
          error={texts.list}
          onText={(text) => change({ text })}
          onAllowRejected={(allowRejected) => change({ allowRejected })}
        />
      ) : (
        <FileInput draft={draft} columns={columns} texts={texts} onChange={change} />
      )}
      <UploadStatus upload={sending.upload} problem={problem} />
      {tag && (
        <ConfirmReplace
          open={confirming}
          tag={tag}
          listed={given.usable}
          onClose={() => setConfirming(false)}
          onReplace={send}
        />
      )}
    </Form>
  );
}

type ModeInputProps = {
  mode: ReturnMode;
  origin: "paste" | "file";
  onChange: (mode: ReturnMode) => void;
};

function ModeInput({ mode, origin, onChange }: ModeInputProps) {
  const m = useMessages();
  return (
    <RadioGroup
      label={m.data.mode}
      value={mode}
      choices={(["ADD", "REMOVE", "REPLACE"] as const).map((value) => ({
        value,
        label: m.data.modes[value],
        hint: m.data.modeHints[value],
        reason: value === "REPLACE" && origin === "file" ? m.data.replaceFile : null,
      }))}
      onChange={onChange}
    />
  );
}
