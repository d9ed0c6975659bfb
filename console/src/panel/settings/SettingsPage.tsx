import { Link } from "wouter-preact";
import {
  ChannelSettingsDocument,
  type ChannelSettingsFragment,
  type ChannelSettingsQuery,
} from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can } from "../../app/viewer";
import { LinkButton } from "../../ui/Button";
import { Copy } from "../../ui/Copy";
import { Count } from "../../ui/Count";
import { EmptyState } from "../../ui/EmptyState";
import { Fact, Facts, Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { PageHeader } from "../../ui/Section";
import { Time } from "../../ui/Time";
import { AdFeed } from "../ads/AdFeed";
import { HistoryLink } from "../audit/HistoryLink";
import { bindAgain } from "../channels/paths";
import { Credentials } from "./Credentials";
import { Followers } from "./Followers";
import { Migration } from "./Migration";
import { useMessages } from "./messages";
import { Names } from "./Names";
import { Push } from "./Push";
import { ResetAddresses } from "./ResetAddresses";
import { Unbind } from "./Unbind";

/** Shows and changes what a channel is: names, credentials, addresses, followers, and whether it is bound. */
export default function SettingsPage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const asked = useQuery(ChannelSettingsDocument, { channel: params.channel ?? "" });
  if (!can("MANAGE_CHANNELS")) return <EmptyState title={m.settings.notYours} />;
  return (
    <Stack gap={5}>
      <PageHeader
        title={m.settings.heading}
        above={
          <>
            <Link href="/">{m.settings.back}</Link>
            <HistoryLink of={params.channel ?? ""} />
          </>
        }
        description={asked.data?.channel?.name}
      />
      <Answer asked={asked}>{(data) => <Settings data={data} again={asked.again} />}</Answer>
    </Stack>
  );
}

function Settings({ data: { channel }, again }: { data: ChannelSettingsQuery; again: () => void }) {
  const m = useMessages();
  if (!channel) return <EmptyState title={m.settings.notFound}>{m.settings.notFoundHint}</EmptyState>;
  return (
    <>
      {!channel.bound && (
        <Problem
          tone="caution"
          title={m.settings.unboundTitle}
          action={<LinkButton href={bindAgain(channel)}>{m.settings.bindAgain}</LinkButton>}
        >
          {m.settings.unboundText}
        </Problem>
      )}
      <Overview channel={channel} />
      <Names key={`${channel.id} ${channel.name} ${channel.verified}`} channel={channel} again={again} />
      <Credentials channel={channel} />
      <Push channel={channel} />
      <AdFeed channel={channel} card />
      <ResetAddresses channel={channel} />
      <Followers channel={channel} again={again} />
      <Migration channel={channel} again={again} />
      {channel.bound && <Unbind channel={channel} again={again} />}
    </>
  );
}

function Overview({ channel }: { channel: ChannelSettingsFragment }) {
  const m = useMessages();
  return (
    <Facts>
      <Fact label={m.settings.kind}>{m.common.channelKinds[channel.kind]}</Fact>
      <Fact label={m.settings.appId}>
        <Copy text={channel.appId} label={m.settings.copyAppId} copiedLabel={m.common.copied} show />
      </Fact>
      <Fact label={m.settings.boundAt}>
        <Time at={channel.boundAt} absolute />
      </Fact>
      {channel.unboundAt !== null && (
        <Fact label={m.settings.unboundAt}>
          <Time at={channel.unboundAt} />
        </Fact>
      )}
      <Fact label={m.settings.followers}>
        <Count value={channel.followerCount} />
      </Fact>
      <Fact label={m.settings.users}>
        <Count value={channel.userCount} />
      </Fact>
    </Facts>
  );
}
