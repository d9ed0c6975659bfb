import type { ChannelsQuery } from "../../api/generated/graphql";
import { useMessages } from "../../i18n/messages";
import { Menu } from "../../ui/Menu";
import styles from "./ChannelSwitcher.module.css";
import { inChannel } from "./place";

export type ChannelChoice = Pick<ChannelsQuery["channels"][number], "id" | "name" | "kind">;

type ChannelSwitcherProps = {
  channels: readonly ChannelChoice[];
  channel: ChannelChoice | null;
  path: string;
};

/** Says which channel the page is about, and leads to the same part of another one. */
export function ChannelSwitcher({ channels, channel, path }: ChannelSwitcherProps) {
  const m = useMessages();
  if (channels.length === 0) return null;
  const shown = channel?.name ?? m.shell.chooseChannel;
  return (
    <Menu
      label={`${m.shell.channel}: ${shown}`}
      button={<span class={styles.name}>{shown}</span>}
      items={[
        ...channels.map(({ id, name, kind }) => ({
          key: id,
          label: (
            <>
              {name}
              <span class={styles.kind}>{m.common.channelKinds[kind]}</span>
            </>
          ),
          checked: id === channel?.id,
          href: inChannel(path, id),
        })),
        { key: "all", label: m.shell.allChannels, href: "/" },
      ]}
    />
  );
}
