import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { ChannelsDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { ConnectionState } from "../../app/ConnectionState";
import { Preferences } from "../../app/Preferences";
import { useMessages } from "../../i18n/messages";
import { IconButton } from "../../ui/IconButton";
import { CloseIcon, MenuIcon, TagIcon } from "../../ui/icons";
import { Toasts } from "../../ui/Toasts";
import { site } from "../../ui/title";
import { AccountMenu } from "./AccountMenu";
import { ChannelSwitcher } from "./ChannelSwitcher";
import { Navigation } from "./Navigation";
import { PaletteButton } from "./PaletteButton";
import { channelOf, lastChannel } from "./place";
import styles from "./Shell.module.css";
import { useArrival } from "./useArrival";

/** Frames every page of the panel: what is above, beside and around it. */
export function Shell({ children }: { children: ComponentChildren }) {
  const m = useMessages();
  const [path] = useLocation();
  const { data } = useQuery(ChannelsDocument, {});
  const channels = data?.channels ?? [];
  const [open, setOpen] = useState(false);
  const here = channelOf(path);
  useArrival();
  useEffect(() => {
    site.value = m.shell.title;
  }, [m]);
  useEffect(() => {
    if (here !== null) lastChannel.value = here;
  }, [here]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page closes the list of pages
  useEffect(() => setOpen(false), [path]);
  const channel = channels.find(({ id }) => id === (here ?? lastChannel.value ?? channels[0]?.id)) ?? null;
  return (
    <div class={styles.shell}>
      <a class={`visually-hidden ${styles.skip}`} href="#page">
        {m.shell.skip}
      </a>
      <header class={styles.header}>
        <span class={styles.toggle}>
          <IconButton
            label={open ? m.shell.closeNavigation : m.shell.openNavigation}
            icon={open ? <CloseIcon /> : <MenuIcon />}
            expanded={open}
            onClick={() => setOpen(!open)}
          />
        </span>
        <Link href="/" class={styles.brand}>
          <TagIcon size={18} />
          <span>{m.shell.title}</span>
        </Link>
        <ChannelSwitcher channels={channels} channel={channel} path={path} />
        <div class={styles.end}>
          <ConnectionState />
          <PaletteButton channels={channels} channel={channel} />
          <AccountMenu />
        </div>
      </header>
      <div class={open ? styles.sideOpen : styles.side}>
        <Navigation path={path} channel={channel?.id ?? null} />
        <Preferences />
      </div>
      <main id="page" class={styles.main} tabIndex={-1}>
        {children}
      </main>
      <Toasts label={m.shell.messages} closeLabel={m.common.close} />
    </div>
  );
}
