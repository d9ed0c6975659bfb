import { Link } from "wouter-preact";
import type { WebhookDetailsFragment } from "../../api/generated/graphql";
import { formatList } from "../../i18n/format";
import { LinkButton } from "../../ui/Button";
import { EditIcon } from "../../ui/icons";
import { Fact, Facts, Row, Stack } from "../../ui/Layout";
import { PageHeader, Section } from "../../ui/Section";
import { TagChip } from "../../ui/TagChip";
import { Time } from "../../ui/Time";
import { paths as tagPaths } from "../tags/paths";
import { DeleteEndpoint } from "./DeleteEndpoint";
import { DeliveriesSection } from "./DeliveriesSection";
import { EVENT_GROUPS } from "./form";
import { useMessages } from "./messages";
import { OneEndpoint } from "./OneEndpoint";
import { PositionsSection } from "./PositionsSection";
import { paths } from "./paths";
import { SignaturesSection } from "./SignaturesSection";
import { StateSection } from "./StateSection";
import { SwitchEndpoint } from "./SwitchEndpoint";
import { TestEvent } from "./TestEvent";
import styles from "./Webhooks.module.css";

/** Shows how one endpoint fares, what it was sent, and what can be done about it. */
export default function WebhookPage({ params }: { params: Record<string, string> }) {
  const id = params.endpoint ?? "";
  return (
    <OneEndpoint key={id} id={id}>
      {(endpoint) => <Endpoint endpoint={endpoint} />}
    </OneEndpoint>
  );
}

function Endpoint({ endpoint }: { endpoint: WebhookDetailsFragment }) {
  const { webhooks } = useMessages();
  return (
    <Stack gap={5}>
      <PageHeader
        title={endpoint.url}
        above={<Link href={paths.list()}>{webhooks.back}</Link>}
        description={endpoint.description}
        actions={
          <>
            <LinkButton icon={<EditIcon />} href={paths.edit(endpoint.id)}>
              {webhooks.edit}
            </LinkButton>
            <SwitchEndpoint endpoint={endpoint} />
            <DeleteEndpoint endpoint={endpoint} />
          </>
        }
      />
      <StateSection endpoint={endpoint} />
      <TestEvent endpoint={endpoint} />
      <PositionsSection endpoint={endpoint} />
      <DeliveriesSection endpoint={endpoint} />
      <ToldSection endpoint={endpoint} />
      <SignaturesSection endpoint={endpoint} />
    </Stack>
  );
}

function ToldSection({ endpoint }: { endpoint: WebhookDetailsFragment }) {
  const m = useMessages();
  const { webhooks } = m;
  const { channels, events, tags, createdAt } = endpoint;
  const words = Object.values(EVENT_GROUPS)
    .flat()
    .filter((each) => events.includes(each))
    .map((each) => webhooks.eventWords[each]);
  return (
    <Section title={webhooks.facts} card>
      <Facts>
        <Fact label={webhooks.channels}>
          {channels === null ? webhooks.allChannels : formatList(channels.map(({ name }) => name))}
        </Fact>
        <Fact label={webhooks.madeAt}>
          <Time at={createdAt} />
        </Fact>
        <Fact label={webhooks.events} wide>
          <ul class={styles.list}>
            {words.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        </Fact>
        <Fact label={webhooks.tags} wide>
          {tags === null ? (
            webhooks.allTags
          ) : (
            <Row>
              {tags.map(({ id, kind, name, state, deletedAt, channel }) => (
                <TagChip
                  key={id}
                  kind={kind}
                  kindLabel={m.common.kinds[kind]}
                  name={deletedAt === null ? name : `${name} (${webhooks.deletedTag})`}
                  state={state}
                  href={tagPaths.tag(channel.id, id)}
                />
              ))}
            </Row>
          )}
        </Fact>
      </Facts>
    </Section>
  );
}
