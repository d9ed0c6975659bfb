import { useState } from "preact/hooks";
import { ReplayWebhookDocument, type WebhookDetailsFragment } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { RadioGroup } from "../../ui/RadioGroup";
import { Select } from "../../ui/Select";
import { TextInput } from "../../ui/TextInput";
import { showToast } from "../../ui/toast";
import { useMessages } from "./messages";
import { anHourAgo, type ReplayStart, startOf } from "./replayStart";
import { isTold } from "./states";
import { useFieldErrors } from "./useFieldErrors";
import styles from "./Webhooks.module.css";

/** Tells a channel again from an instant or a cursor on, once somebody has read what that does. */
export function ReplayDialog({
  endpoint,
  onClose,
}: {
  endpoint: WebhookDetailsFragment;
  onClose: () => void;
}) {
  const m = useMessages();
  const { webhooks } = m;
  const { positions } = endpoint;
  const [chosen, setChosen] = useState(positions[0]?.channel.id ?? "");
  const [start, setStart] = useState<ReplayStart>(() => ({
    from: "instant",
    since: anHourAgo(Date.now()),
    cursor: "",
  }));
  const { run, busy, problem } = useMutation(ReplayWebhookDocument);
  const errorAt = useFieldErrors(problem);
  const name = positions.find(({ channel }) => channel.id === chosen)?.channel.name ?? "";
  const replay = async () => {
    if (!(await run({ id: endpoint.id, channel: chosen, ...startOf(start) })).data) return;
    showToast({ text: webhooks.replayed(name) });
    onClose();
  };
  return (
    <Dialog
      open
      title={webhooks.replayTitle}
      closeLabel={m.common.close}
      onClose={onClose}
      onSubmit={replay}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" variant="primary" busy={busy}>
            {webhooks.replay}
          </Button>
        </>
      }
    >
      <Stack gap={4}>
        <Select
          label={webhooks.positionColumns.channel}
          value={chosen}
          options={positions.map(({ channel }) => ({ value: channel.id, label: channel.name }))}
          onChange={setChosen}
        />
        <RadioGroup
          label={webhooks.replayFrom}
          value={start.from}
          choices={[
            { value: "instant", label: webhooks.fromInstant },
            { value: "cursor", label: webhooks.fromCursor, hint: webhooks.fromCursorHint },
          ]}
          onChange={(from) => setStart({ ...start, from })}
        />
        {start.from === "instant" ? (
          <TextInput
            label={webhooks.since}
            type="datetime-local"
            error={errorAt("since")}
            value={start.since}
            onInput={(since) => setStart({ ...start, since })}
          />
        ) : (
          <TextInput
            label={webhooks.cursor}
            mono
            error={errorAt("cursor")}
            value={start.cursor}
            onInput={(cursor) => setStart({ ...start, cursor })}
          />
        )}
        <div>
          <p>{webhooks.replayWhat(name)}</p>
          <ul class={styles.list}>
            <li>{webhooks.replayGivesUp}</li>
            <li>{webhooks.replayTwice}</li>
            <li>{webhooks.replayReach}</li>
          </ul>
        </div>
        {!isTold(endpoint.state) && <Problem tone="informative" title={webhooks.replayOff} />}
        <ApiProblem problem={problem} />
      </Stack>
    </Dialog>
  );
}
