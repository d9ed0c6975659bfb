import { useEffect, useState } from "preact/hooks";
import { lazy } from "../../app/lazy";
import { useMessages } from "../../i18n/messages";
import { SearchIcon } from "../../ui/icons";
import type { ChannelChoice } from "./ChannelSwitcher";
import styles from "./PaletteButton.module.css";

const load = () => import("./Palette");
const Palette = lazy(load);
const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);

type PaletteButtonProps = { channels: readonly ChannelChoice[]; channel: ChannelChoice | null };

/** Opens the palette, as Ctrl-K (⌘K) does everywhere. */
export function PaletteButton({ channels, channel }: PaletteButtonProps) {
  const m = useMessages();
  const [open, setOpen] = useState(false);
  useEffect(() => {
    // Whoever types right after Ctrl-K should not type into nothing. Where it fails now, opening tries again.
    const timer = setTimeout(() => load().catch(() => undefined), 1_000);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(APPLE ? event.metaKey : event.ctrlKey)) return;
      event.preventDefault();
      // What is asked in a dialog comes first.
      if (!document.querySelector("dialog[open]")) setOpen(true);
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  return (
    <>
      <button
        type="button"
        class={styles.button}
        aria-keyshortcuts={APPLE ? "Meta+K" : "Control+K"}
        onClick={() => setOpen(true)}
      >
        <SearchIcon />
        <span class={styles.label}>{m.shell.search}</span>
        <kbd class={styles.key}>{APPLE ? "⌘K" : "Ctrl K"}</kbd>
      </button>
      {open && <Palette channels={channels} channel={channel} onClose={() => setOpen(false)} />}
    </>
  );
}
