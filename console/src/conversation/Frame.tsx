import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { ConnectionState } from "../app/ConnectionState";
import { NewTabLink } from "../app/NewTabLink";
import { Preferences } from "../app/Preferences";
import { useMessages } from "../i18n/messages";
import { AccountMenu } from "../panel/shell/AccountMenu";
import { TagIcon } from "../ui/icons";
import { nameWindow, site } from "../ui/title";
import styles from "./Frame.module.css";

/** What stands around the conversations: where one is, and the way to the tag panel. */
export function Frame({ children }: { children: ComponentChildren }) {
  const m = useMessages();
  useEffect(() => {
    site.value = m.shell.title;
    nameWindow(m.conversation.title);
  }, [m]);
  return (
    <div class={styles.frame}>
      <header class={styles.bar}>
        <h1 class={styles.title}>{m.conversation.title}</h1>
        <NewTabLink href="/" class={styles.link}>
          <TagIcon /> <span>{m.conversation.panel}</span>
        </NewTabLink>
        <div class={styles.end}>
          <ConnectionState />
          <Preferences />
          <AccountMenu />
        </div>
      </header>
      <main class={styles.main}>{children}</main>
    </div>
  );
}
