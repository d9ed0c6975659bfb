import type { ChannelCardFragment } from "../../api/generated/graphql";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { LinkButton } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { KeyIcon } from "../../ui/icons";
import type { Closed } from "./gate";
import { bindAgain, settingsOf } from "./paths";

type ClosedChannelProps = { channel: ChannelCardFragment; closed: Closed };

/** Stands in place of a channel's tags while they cannot be used: why, and what whoever looks can do. */
export function ClosedChannel({ channel, closed }: ClosedChannelProps) {
  const m = useMessages().channels.gate;
  const why = closed === "robot" ? m.robot : m[closed](channel.name);
  const manages = can("MANAGE_CHANNELS");
  const ways = {
    robot: <LinkButton href="/">{m.toChannels}</LinkButton>,
    unbound: <LinkButton href={bindAgain(channel)}>{m.bindAgain}</LinkButton>,
    unverified: <LinkButton href={settingsOf(channel)}>{m.toSettings}</LinkButton>,
  };
  return (
    <EmptyState title={m.title} icon={<KeyIcon size={24} />} action={manages && ways[closed]}>
      <p>{why}</p>
      <p>{manages ? m.manager[closed] : m.other}</p>
    </EmptyState>
  );
}
