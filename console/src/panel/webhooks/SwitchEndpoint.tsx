import { UpdateWebhookDocument, type WebhookDetailsFragment } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { Button } from "../../ui/Button";
import { PauseIcon, PlayIcon, RefreshIcon } from "../../ui/icons";
import { showToast } from "../../ui/toast";
import { useMessages } from "./messages";
import { isTold } from "./states";

/** Switches an endpoint on or off, and lets one that fails be tried at once. */
export function SwitchEndpoint({ endpoint }: { endpoint: WebhookDetailsFragment }) {
  const m = useMessages();
  const { webhooks } = m;
  const { id, state } = endpoint;
  const { run, busy } = useMutation(UpdateWebhookDocument);
  const enable = async (enabled: boolean, said: string, undo = false) => {
    const { problem } = await run({ input: { id, enabled } });
    if (problem) showToast({ text: m.problems[problem.code], tone: "negative" });
    else if (!undo) showToast({ text: said });
    else
      showToast({ text: said, undo: { label: m.common.undo, run: () => enable(true, webhooks.switchedOn) } });
  };
  if (!isTold(state)) {
    return (
      <Button
        variant="primary"
        icon={<PlayIcon />}
        busy={busy}
        onClick={() => enable(true, webhooks.switchedOn)}
      >
        {webhooks.switchOn}
      </Button>
    );
  }
  return (
    <>
      {state !== "ACTIVE" && (
        <Button
          variant="primary"
          icon={<RefreshIcon />}
          busy={busy}
          onClick={() => enable(true, webhooks.tryingNow)}
        >
          {webhooks.tryNow}
        </Button>
      )}
      <Button icon={<PauseIcon />} busy={busy} onClick={() => enable(false, webhooks.switchedOff, true)}>
        {webhooks.switchOff}
      </Button>
    </>
  );
}
