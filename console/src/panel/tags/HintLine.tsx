import { Link } from "wouter-preact";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { InfoIcon, WarningIcon } from "../../ui/icons";
import styles from "./HintLine.module.css";
import type { Hint } from "./hints";
import { paths } from "./paths";
import type { TagRow } from "./tagList";
import { namesOf, percent } from "./words";

/** Says what to know about a tag, with the way to mend it for whoever may. */
export function HintLine({ hint, tag, channel }: { hint: Hint; tag: TagRow; channel: string }) {
  return (
    <div class={hint.kind === "EMPTY" || hint.kind === "COMPUTING" ? styles.hint : styles.grave}>
      {hint.kind === "LAPSED" || hint.kind === "AD_UNCONFIRMED" ? (
        <WarningIcon size={14} />
      ) : (
        <InfoIcon size={14} />
      )}
      <span>
        {useHintText(hint)} <Mend hint={hint} tag={tag} channel={channel} />
      </span>
    </div>
  );
}

/** Returns the sentence of a hint. */
export function useHintText(hint: Hint): string {
  const { hints } = useMessages().tags;
  if (hint.kind === "LAPSED" && hint.by.length > 0) return hints.lapsed(namesOf(hint.by));
  if (hint.kind === "COMPUTING" && hint.progress !== null) return hints.computing(percent(hint.progress));
  return hints[hint.kind];
}

/** Leads to where a hint is dealt with, or says who can. */
export function Mend({ hint, tag, channel }: { hint: Hint; tag: TagRow; channel: string }) {
  const { hints } = useMessages().tags;
  switch (hint.kind) {
    case "AD_UNCONFIRMED":
      if (!can("MANAGE_CHANNELS")) return <>{hints.askAddress}</>;
      return <Link href={paths.settings(channel)}>{hints.confirmAddress}</Link>;
    case "LAPSED":
      if (!can("MANAGE_TAGS")) return <>{hints.askMend}</>;
      return <Link href={paths.edit(channel, tag.id)}>{hints.mend}</Link>;
    case "EMPTY":
      if (tag.kind !== "RETURN" || !can("SUBMIT_DATA")) return null;
      return <Link href={paths.tag(channel, tag.id)}>{hints.sendData}</Link>;
    default:
      return null;
  }
}
