import { useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import {
  ChannelsDocument,
  UpdateWebhookDocument,
  type WebhookDetailsFragment,
} from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { ApiProblem } from "../../app/ApiProblem";
import { Button, LinkButton } from "../../ui/Button";
import { Form } from "../../ui/Form";
import { Stack } from "../../ui/Layout";
import { PageHeader } from "../../ui/Section";
import { showToast } from "../../ui/toast";
import { EndpointFields } from "./EndpointFields";
import { changesOf, draftOf, type EndpointDraft } from "./form";
import { useMessages } from "./messages";
import { OneEndpoint } from "./OneEndpoint";
import { paths } from "./paths";
import { useFieldErrors } from "./useFieldErrors";

/** Changes where an endpoint is, and what it is told. */
export default function EditWebhookPage({ params }: { params: Record<string, string> }) {
  return <OneEndpoint id={params.endpoint ?? ""}>{(endpoint) => <Edit endpoint={endpoint} />}</OneEndpoint>;
}

function Edit({ endpoint }: { endpoint: WebhookDetailsFragment }) {
  const m = useMessages();
  const { webhooks } = m;
  const [, navigate] = useLocation();
  const asked = useQuery(ChannelsDocument, {}, { policy: "cache-first" });
  // As it was when the editing began: what is asked again meanwhile takes nothing back.
  const [before] = useState(() => draftOf(endpoint));
  const [typed, setTyped] = useState<Partial<EndpointDraft>>({});
  const draft = { ...before, ...typed };
  const changes = changesOf(draft, before);
  const { run, busy, problem } = useMutation(UpdateWebhookDocument);
  const errorAt = useFieldErrors(problem);
  const reason = Object.keys(changes).length === 0 ? webhooks.unchanged : null;
  const save = async () => {
    if (reason || !(await run({ input: { id: endpoint.id, ...changes } })).data) return;
    showToast({ text: webhooks.saved });
    navigate(paths.endpoint(endpoint.id));
  };
  return (
    <Stack gap={5}>
      <PageHeader
        title={webhooks.editHeading}
        above={<Link href={paths.endpoint(endpoint.id)}>{endpoint.url}</Link>}
      />
      <Answer asked={asked}>
        {({ channels }) => (
          <Form
            label={webhooks.editHeading}
            onSubmit={save}
            footer={
              <>
                <Button type="submit" variant="primary" busy={busy} reason={reason}>
                  {m.common.save}
                </Button>
                <LinkButton href={paths.endpoint(endpoint.id)}>{m.common.cancel}</LinkButton>
              </>
            }
          >
            <EndpointFields
              editing
              draft={draft}
              channels={channels}
              errorAt={errorAt}
              onChange={(part) => setTyped((known) => ({ ...known, ...part }))}
            />
            <ApiProblem problem={problem} />
          </Form>
        )}
      </Answer>
    </Stack>
  );
}
