import { useState } from "preact/hooks";
import { Link, useSearchParams } from "wouter-preact";
import {
  AdFeedDocument,
  type AdFeedQuery,
  AdTagDocument,
  CreateAdTagDocument,
} from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { useMessages } from "../../i18n/messages";
import { Button, LinkButton } from "../../ui/Button";
import { Count } from "../../ui/Count";
import { EmptyState } from "../../ui/EmptyState";
import { Fact, Facts, Row, Stack } from "../../ui/Layout";
import { PageHeader, Section } from "../../ui/Section";
import { StateBadge } from "../../ui/StateBadge";
import { useManageReason } from "../tags/hooks";
import { paths } from "../tags/paths";
import { AdFeed } from "./AdFeed";
import { type AdDraft, AdTagForm } from "./AdTagForm";

const EMPTY: AdDraft = { name: "", description: "", ids: "" };

/** Makes an ad tag, and then shows it coming into effect. */
export default function NewAdPage({ params }: { params: Record<string, string> }) {
  const channel = params.channel ?? "";
  const m = useMessages();
  const asked = useQuery(AdFeedDocument, { channel });
  return (
    <Stack gap={5}>
      <PageHeader
        title={m.ads.newHeading}
        above={<Link href={paths.tags(channel)}>{m.tags.back}</Link>}
        description={m.ads.intro}
      />
      <Answer asked={asked}>{(data) => <Content data={data} />}</Answer>
    </Stack>
  );
}

function Content({ data: { channel } }: { data: AdFeedQuery }) {
  const m = useMessages();
  const [query, setQuery] = useSearchParams();
  const made = query.get("made");
  if (!channel) return null;
  if (channel.kind === "MINI_PROGRAM") {
    return <EmptyState title={m.ads.miniProgramTitle}>{m.ads.miniProgram}</EmptyState>;
  }
  return (
    <>
      {made === null ? (
        <NewAdTag
          channel={channel.id}
          onMade={(tag) => setQuery(() => new URLSearchParams({ made: tag }), { replace: true })}
        />
      ) : (
        <MadeTag channel={channel.id} tag={made} onAnother={() => setQuery(() => new URLSearchParams())} />
      )}
      <AdFeed channel={channel} card />
    </>
  );
}

function NewAdTag({ channel, onMade }: { channel: string; onMade: (tag: string) => void }) {
  const m = useMessages();
  const [draft, setDraft] = useState(EMPTY);
  const { run, busy, problem } = useMutation(CreateAdTagDocument);
  const create = async (adIds: readonly string[]) => {
    const input = { channelId: channel, name: draft.name, description: draft.description || null, adIds };
    const { data } = await run({ input });
    if (data?.createAdTag) onMade(data.createAdTag.tag.id);
  };
  return (
    <AdTagForm
      draft={draft}
      onChange={setDraft}
      before={[]}
      action={m.ads.create}
      busy={busy}
      reason={useManageReason()}
      problem={problem}
      onSubmit={create}
    />
  );
}

function MadeTag({ channel, tag: id, onAnother }: { channel: string; tag: string; onAnother: () => void }) {
  const m = useMessages();
  const asked = useQuery(AdTagDocument, { tag: id });
  return (
    <Answer asked={asked}>
      {({ tag }) =>
        tag?.__typename === "AdTag" && (
          <Section title={m.ads.madeHeading(tag.name)} card>
            <Facts>
              <Fact label={m.tags.state}>
                <StateBadge state={tag.state}>{m.common.states[tag.state]}</StateBadge>{" "}
                {tag.state === "PENDING" && m.ads.waits}
              </Fact>
              <Fact label={m.tags.facts.people}>
                <Count value={tag.memberCount} />
              </Fact>
            </Facts>
            <Row>
              <LinkButton variant="primary" href={paths.tag(channel, tag.id)}>
                {m.ads.openTag}
              </LinkButton>
              <Button onClick={onAnother}>{m.ads.another}</Button>
            </Row>
          </Section>
        )
      }
    </Answer>
  );
}
