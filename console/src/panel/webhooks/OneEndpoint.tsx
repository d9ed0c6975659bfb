import type { ComponentChildren } from "preact";
import { type WebhookDetailsFragment, WebhookEndpointDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can } from "../../app/viewer";
import { LinkButton } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { Reason } from "../../ui/Reason";
import { PageHeader } from "../../ui/Section";
import { useMessages } from "./messages";
import { paths } from "./paths";
import { useAskingAgain } from "./useAskingAgain";

const OFTEN = 5_000;

interface OneEndpointProps {
  readonly id: string;
  readonly children: (endpoint: WebhookDetailsFragment, again: () => void) => ComponentChildren;
}

/** Shows something of one endpoint as it is, asking again every few seconds; or why it cannot be shown. */
export function OneEndpoint({ id, children }: OneEndpointProps) {
  const { webhooks } = useMessages();
  const allowed = can("MANAGE_WEBHOOKS");
  const asked = useQuery(WebhookEndpointDocument, { id }, { pause: !allowed });
  const { data, problem } = asked;
  const isGone =
    problem?.code === "NOT_FOUND" ||
    problem?.code === "BAD_USER_INPUT" ||
    (data?.node && data.node.__typename !== "WebhookEndpoint");
  useAskingAgain(asked.again, allowed && !isGone ? OFTEN : null);
  if (!allowed) {
    return (
      <>
        <PageHeader title={webhooks.heading} />
        <Reason>{webhooks.notYours}</Reason>
      </>
    );
  }
  if (isGone) {
    return (
      <>
        <PageHeader title={webhooks.heading} />
        <EmptyState
          title={webhooks.gone}
          action={<LinkButton href={paths.list()}>{webhooks.back}</LinkButton>}
        >
          {webhooks.goneHint}
        </EmptyState>
      </>
    );
  }
  return (
    <Answer asked={asked}>
      {({ node }) => node?.__typename === "WebhookEndpoint" && children(node, asked.again)}
    </Answer>
  );
}
