import type { WebhookDetailsFragment } from "../../api/generated/graphql";
import { Fact, Facts, Stack } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { StateBadge } from "../../ui/StateBadge";
import { Time } from "../../ui/Time";
import { useMessages } from "./messages";
import { LOOKS, lagText } from "./states";

/** Says in plain words how an endpoint fares, why, and what to do. */
export function StateSection({ endpoint }: { endpoint: WebhookDetailsFragment }) {
  const m = useMessages();
  const { webhooks } = m;
  const { state, reason, lag, lastSuccessAt } = endpoint;
  const untried = state === "ACTIVE" && lastSuccessAt === null;
  return (
    <Section title={webhooks.state} card>
      <Stack gap={3}>
        <div>
          <StateBadge {...LOOKS[state]}>{webhooks.states[state]}</StateBadge>
        </div>
        <p>{untried ? webhooks.untried : `${webhooks.meaning[state]} ${webhooks.toDo[state]}`}</p>
        <Facts>
          {reason && (
            <Fact label={webhooks.reason} wide>
              {reason}
            </Fact>
          )}
          <Fact label={webhooks.columns.lag}>
            {lag === 0 ? webhooks.noLag : webhooks.waiting(lagText(lag, m))}
          </Fact>
          <Fact label={webhooks.columns.success}>
            {lastSuccessAt === null ? webhooks.never : <Time at={lastSuccessAt} />}
          </Fact>
        </Facts>
      </Stack>
    </Section>
  );
}
