import { useEffect } from "preact/hooks";
import { useLocation, useSearchParams } from "wouter-preact";
import { type ChannelCardFragment, ChannelsDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can, viewer } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { ChannelIcon, PlusIcon } from "../../ui/icons";
import { Grid } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { PageHeader } from "../../ui/Section";
import { BindChannel } from "./BindChannel";
import { ChannelCard } from "./ChannelCard";
import { tagsOf } from "./paths";

/** The channels of the robot, with what each needs before its tags can be used. */
export default function ChannelsPage() {
  const m = useMessages();
  const asked = useQuery(ChannelsDocument, {});
  const [params, setParams] = useSearchParams();
  const manages = can("MANAGE_CHANNELS");
  const binding = manages && params.has("bind");
  const bind = manages && (
    <Button variant="primary" icon={<PlusIcon />} onClick={() => setParams({ bind: "SERVICE_ACCOUNT" })}>
      {m.channels.bind}
    </Button>
  );
  return (
    <>
      <PageHeader title={m.channels.heading} description={m.channels.lead} actions={bind} />
      <Answer asked={asked}>
        {({ channels }) =>
          channels.length === 0 ? (
            <EmptyState title={m.channels.none} icon={<ChannelIcon size={24} />} action={bind}>
              {manages ? m.channels.noneManager : m.channels.noneOther}
            </EmptyState>
          ) : (
            <Cards channels={channels} />
          )
        }
      </Answer>
      {binding && <BindChannel again={asked.again} onClose={() => setParams({}, { replace: true })} />}
    </>
  );
}

function Cards({ channels }: { channels: readonly ChannelCardFragment[] }) {
  const m = useMessages().channels.gate;
  const [, navigate] = useLocation();
  const ready = viewer.value?.ready ?? false;
  const manages = can("MANAGE_CHANNELS");
  const [only, ...others] = channels;
  // Whoever can do nothing here but go on is spared the step.
  const goal = only && others.length === 0 && ready && !manages ? tagsOf(only) : null;
  useEffect(() => {
    if (goal !== null) navigate(goal, { replace: true });
  }, [goal, navigate]);
  return (
    <>
      {!ready && (
        <Problem tone="caution" title={m.title}>
          <p>{m.robot}</p>
          <p>{manages ? m.manager.robot : m.other}</p>
        </Problem>
      )}
      <Grid>
        {channels.map((channel) => (
          <ChannelCard key={channel.id} channel={channel} ready={ready} />
        ))}
      </Grid>
    </>
  );
}
