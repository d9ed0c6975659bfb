import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { useMessages } from "../i18n/messages";
import { TagIcon } from "../ui/icons";
import styles from "./Frame.module.css";

/** What stands around the conversations: where one is, and the way to the tag panel. */
export function Frame({ children }: { children: ComponentChildren }) {
  const m = useMessages();
  useEffect(() => {
    document.title = `${m.conversation.title} · ${m.shell.title}`;
  }, [m]);
  return (
    <div class={styles.frame}>
      <header class={styles.bar}>
        <h1 class={styles.title}>{m.conversation.title}</h1>
        <nav aria-label={m.shell.title}>
          <a href="/" class={styles.link}>
            <TagIcon /> {m.conversation.panel}
          </a>
        </nav>
      </header>
      <main class={styles.main}>{children}</main>
    </div>
  );
}
