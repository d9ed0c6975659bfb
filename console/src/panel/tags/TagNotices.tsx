import { Link } from "wouter-preact";
import type { TagDetailFragment } from "../../api/generated/graphql";
import { formatInstant } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Problem } from "../../ui/Problem";
import { Progress } from "../../ui/Progress";
import { HintLine, Mend } from "./HintLine";
import { hintOf } from "./hints";
import { paths } from "./paths";
import { fullName, percent } from "./words";

/** Says what is the matter with a tag: that it was deleted or merged, has lapsed, or waits, and for what. */
export function TagNotices({ tag }: { tag: TagDetailFragment }) {
  const m = useMessages();
  if (tag.deletedAt && tag.mergedInto) {
    return (
      <Problem
        tone="informative"
        title={
          <>
            {m.tags.mergedTitle}{" "}
            <Link href={paths.tag(tag.channel.id, tag.mergedInto.id)}>{fullName(tag.mergedInto)}</Link>
          </>
        }
      >
        {m.tags.mergedHint(formatInstant(tag.deletedAt))}
      </Problem>
    );
  }
  if (tag.deletedAt) {
    return (
      <Problem tone="caution" title={m.tags.deletedTitle}>
        {m.tags.deletedHint(formatInstant(tag.deletedAt))}
      </Problem>
    );
  }
  const hint = hintOf(tag, tag, tag.channel.adReturnConfirmed);
  if (!hint) return null;
  if (hint.kind === "LAPSED") {
    return (
      <Problem tone="caution" title={m.tags.lapsedTitle}>
        {m.tags.hints.LAPSED}{" "}
        {hint.by.map((deleted) => (
          <span key={deleted.id}>
            <Link href={paths.tag(tag.channel.id, deleted.id)}>{fullName(deleted)}</Link>{" "}
          </span>
        ))}
        <Mend hint={hint} tag={tag} channel={tag.channel.id} />
      </Problem>
    );
  }
  if (hint.kind === "COMPUTING" && hint.progress !== null) {
    return (
      <Progress
        label={m.tags.hints.COMPUTING}
        value={hint.progress}
        max={1}
        detail={percent(hint.progress)}
      />
    );
  }
  return <HintLine hint={hint} tag={tag} channel={tag.channel.id} />;
}
