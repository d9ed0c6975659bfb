import { useState } from "preact/hooks";
import {
  RotateWebhookSecretDocument,
  type WebhookDetailsFragment,
  WebhookSecretDocument,
} from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { Button } from "../../ui/Button";
import { Copy } from "../../ui/Copy";
import { Dialog } from "../../ui/Dialog";
import { KeyIcon } from "../../ui/icons";
import { Fact, Facts, Row, Stack } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { Time } from "../../ui/Time";
import { showToast } from "../../ui/toast";
import { useMessages } from "./messages";

/** Shows what an endpoint checks signatures with: the secret when somebody wants to see it, and not before. */
export function SignaturesSection({ endpoint }: { endpoint: WebhookDetailsFragment }) {
  const m = useMessages();
  const { webhooks } = m;
  const { id, publicKey, formerSecretUntil } = endpoint;
  const [shown, setShown] = useState(false);
  const asked = useQuery(WebhookSecretDocument, { id }, { pause: !shown, policy: "network-only" });
  const node = asked.data?.node;
  const secret = shown && node?.__typename === "WebhookEndpoint" ? node.secret : null;
  return (
    <Section
      title={webhooks.signatures}
      description={webhooks.signaturesHint}
      card
      actions={<Rotate endpoint={endpoint} onRotated={() => setShown(true)} />}
    >
      <Stack gap={3}>
        <Facts>
          <Fact label={webhooks.secret} wide>
            <Row>
              {secret === null ? (
                webhooks.secretHidden
              ) : (
                <Copy text={secret} label={webhooks.copySecret} copiedLabel={m.common.copied} show />
              )}
              <Button size="small" icon={<KeyIcon size={14} />} onClick={() => setShown(!shown)}>
                {shown ? webhooks.hideSecret : webhooks.showSecret}
              </Button>
            </Row>
          </Fact>
          <Fact label={webhooks.publicKey} wide>
            <Copy text={publicKey} label={webhooks.copyPublicKey} copiedLabel={m.common.copied} show />
          </Fact>
          {formerSecretUntil !== null && (
            <Fact label={webhooks.former}>
              <Time at={formerSecretUntil} absolute />
            </Fact>
          )}
        </Facts>
        <ApiProblem problem={shown ? asked.problem : null} />
      </Stack>
    </Section>
  );
}

/** Replaces the secret, once somebody has read what signs until when. */
function Rotate({ endpoint, onRotated }: { endpoint: WebhookDetailsFragment; onRotated: () => void }) {
  const m = useMessages();
  const { webhooks } = m;
  const [open, setOpen] = useState(false);
  const { run, busy, problem } = useMutation(RotateWebhookSecretDocument);
  const rotate = async () => {
    if (!(await run({ id: endpoint.id })).data) return;
    setOpen(false);
    showToast({ text: webhooks.rotated });
    onRotated();
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>{webhooks.rotate}</Button>
      <Dialog
        open={open}
        title={webhooks.rotateTitle}
        closeLabel={m.common.close}
        onClose={() => setOpen(false)}
        footer={
          <>
            <Button onClick={() => setOpen(false)}>{m.common.cancel}</Button>
            <Button variant="danger" busy={busy} onClick={rotate}>
              {webhooks.rotate}
            </Button>
          </>
        }
      >
        <Stack gap={3}>
          <ApiProblem problem={problem} />
          <p>{webhooks.rotateNew}</p>
          <p>{webhooks.rotateFormer}</p>
          {endpoint.formerSecretUntil !== null && <p>{webhooks.rotateEnds}</p>}
          <p>{webhooks.rotateLeak}</p>
        </Stack>
      </Dialog>
    </>
  );
}
