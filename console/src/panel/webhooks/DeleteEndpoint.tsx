import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { DeleteWebhookDocument, type WebhookDetailsFragment } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { TrashIcon } from "../../ui/icons";
import { Stack } from "../../ui/Layout";
import { showToast } from "../../ui/toast";
import { useMessages } from "./messages";
import { paths } from "./paths";
import { isTold } from "./states";

/** Deletes an endpoint, once somebody has read what goes with it. */
export function DeleteEndpoint({ endpoint }: { endpoint: WebhookDetailsFragment }) {
  const m = useMessages();
  const { webhooks } = m;
  const [open, setOpen] = useState(false);
  const [, navigate] = useLocation();
  const { run, busy, problem } = useMutation(DeleteWebhookDocument);
  const remove = async () => {
    if (!(await run({ id: endpoint.id })).data) return;
    showToast({ text: webhooks.deleted });
    navigate(paths.list());
  };
  return (
    <>
      <Button icon={<TrashIcon />} onClick={() => setOpen(true)}>
        {webhooks.delete}
      </Button>
      <Dialog
        open={open}
        title={webhooks.deleteTitle}
        closeLabel={m.common.close}
        onClose={() => setOpen(false)}
        footer={
          <>
            <Button onClick={() => setOpen(false)}>{m.common.cancel}</Button>
            <Button variant="danger" busy={busy} onClick={remove}>
              {webhooks.delete}
            </Button>
          </>
        }
      >
        <Stack gap={3}>
          <ApiProblem problem={problem} />
          <p>{webhooks.deleteStops(endpoint.url)}</p>
          <p>{webhooks.deleteForgets}</p>
          {isTold(endpoint.state) && <p>{webhooks.deleteRather}</p>}
        </Stack>
      </Dialog>
    </>
  );
}
