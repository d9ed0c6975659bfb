import type { TagInViewFragment } from "../../api/generated/graphql";
import { useMessages } from "../../i18n/messages";
import { StateBadge, type Tone } from "../../ui/StateBadge";
import styles from "./SyncState.module.css";

type Link = NonNullable<TagInViewFragment["officialAccount"]>;
type SyncKind = keyof ReturnType<typeof useMessages>["tags"]["syncStates"];

/** Returns in one word how a tag stands with the Official Account's; `none` was never synced. */
export function syncKind(link: Link | null): SyncKind {
  if (link === null) return "none";
  if (link.remoteTagId === null && !link.error) return "ended";
  if (link.error) return "failing";
  if (!link.inSync) return "differs";
  return link.keepInSync ? "kept" : "same";
}

const LOOKS: Record<Exclude<SyncKind, "none">, readonly [Tone, "solid" | "dashed" | "dotted"]> = {
  ended: ["neutral", "dotted"],
  failing: ["caution", "dotted"],
  differs: ["informative", "dashed"],
  kept: ["positive", "solid"],
  same: ["positive", "dashed"],
};

/** Shows how a tag stands with the Official Account's. */
export function SyncState({ link }: { link: Link | null }) {
  const words = useMessages().tags.syncStates;
  const kind = syncKind(link);
  // What was never synced is nothing to look at: a badge on each such tag would hide the others.
  if (kind === "none") return <span class={styles.none}>{words.none}</span>;
  const [tone, line] = LOOKS[kind];
  return (
    <StateBadge tone={tone} line={line}>
      {words[kind]}
    </StateBadge>
  );
}
