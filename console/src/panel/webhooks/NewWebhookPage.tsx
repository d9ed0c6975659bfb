import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import {
  ChannelsDocument,
  CreateWebhookDocument,
  type CreateWebhookMutation,
} from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { ApiProblem } from "../../app/ApiProblem";
import { can } from "../../app/viewer";
import { Button, LinkButton } from "../../ui/Button";
import { Copy } from "../../ui/Copy";
import { Form } from "../../ui/Form";
import { Fact, Facts, Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { Reason } from "../../ui/Reason";
import { PageHeader, Section } from "../../ui/Section";
import { EndpointFields, type EndpointFieldsProps } from "./EndpointFields";
import { emptyDraft, inputOf } from "./form";
import { useMessages } from "./messages";
import { isNarrowed } from "./narrowed";
import { paths } from "./paths";
import { useFieldErrors } from "./useFieldErrors";

type Made = NonNullable<CreateWebhookMutation["createWebhookEndpoint"]>["endpoint"];

/** Makes an endpoint, and then shows the secret that its receiver needs. */
export default function NewWebhookPage() {
  const { webhooks } = useMessages();
  const allowed = can("MANAGE_WEBHOOKS");
  const asked = useQuery(ChannelsDocument, {}, { policy: "cache-first" });
  const [made, setMade] = useState<Made | null>(null);
  const above = <Link href={paths.list()}>{webhooks.back}</Link>;
  if (made) {
    return (
      <Stack gap={5}>
        <PageHeader key="made" title={webhooks.made} above={above} description={made.url} />
        <Secret endpoint={made} />
      </Stack>
    );
  }
  return (
    <Stack gap={5}>
      <PageHeader key="form" title={webhooks.newHeading} above={above} description={webhooks.newIntro} />
      {!allowed && <Reason>{webhooks.notYours}</Reason>}
      {allowed && (
        <Answer asked={asked}>{({ channels }) => <Make channels={channels} onMade={setMade} />}</Answer>
      )}
    </Stack>
  );
}

function Make({
  channels,
  onMade,
}: Pick<EndpointFieldsProps, "channels"> & { onMade: (made: Made) => void }) {
  const { webhooks } = useMessages();
  const [draft, setDraft] = useState(() => emptyDraft(isNarrowed()));
  const { run, busy, problem } = useMutation(CreateWebhookDocument);
  const errorAt = useFieldErrors(problem);
  const make = async () => {
    const { data } = await run({ input: inputOf(draft) });
    if (data?.createWebhookEndpoint) onMade(data.createWebhookEndpoint.endpoint);
  };
  return (
    <Form
      label={webhooks.newHeading}
      onSubmit={make}
      footer={
        <Button type="submit" variant="primary" busy={busy}>
          {webhooks.create}
        </Button>
      }
    >
      <EndpointFields
        draft={draft}
        channels={channels}
        errorAt={errorAt}
        onChange={(part) => setDraft((before) => ({ ...before, ...part }))}
      />
      <ApiProblem problem={problem} />
    </Form>
  );
}

function Secret({ endpoint }: { endpoint: Made }) {
  const m = useMessages();
  const { webhooks } = m;
  return (
    <Section title={webhooks.signatures} description={webhooks.madeHint} card>
      <Stack gap={4}>
        <Facts>
          <Fact label={webhooks.secret} wide>
            <Copy text={endpoint.secret} label={webhooks.copySecret} copiedLabel={m.common.copied} show />
          </Fact>
          <Fact label={webhooks.publicKey} wide>
            <Copy
              text={endpoint.publicKey}
              label={webhooks.copyPublicKey}
              copiedLabel={m.common.copied}
              show
            />
          </Fact>
        </Facts>
        <Problem tone="informative" title={webhooks.secretLater}>
          {webhooks.firstTest}
        </Problem>
        <div>
          <LinkButton variant="primary" href={paths.endpoint(endpoint.id)}>
            {webhooks.toEndpoint}
          </LinkButton>
        </div>
      </Stack>
    </Section>
  );
}
