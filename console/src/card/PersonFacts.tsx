import type { PersonCardFragment } from "../api/generated/graphql";
import { formatList } from "../i18n/format";
import { useMessages } from "../i18n/messages";
import { Copy } from "../ui/Copy";
import { Fact, Facts } from "../ui/Layout";
import { Time } from "../ui/Time";

/** Shows what the channel knows of somebody besides tags. */
export function PersonFacts({ user, followable }: { user: PersonCardFragment; followable: boolean }) {
  const m = useMessages();
  return (
    <Facts>
      <Fact label={m.card.openid}>
        <Copy text={user.openid} label={m.common.copy} copiedLabel={m.common.copied} show />
      </Fact>
      <Fact label={m.card.unionid}>
        {user.unionid === null ? (
          m.card.unionidUnknown
        ) : (
          <Copy text={user.unionid} label={m.common.copy} copiedLabel={m.common.copied} show />
        )}
      </Fact>
      {followable && <When label={m.card.followedAt} at={user.followedAt} />}
      {followable && user.unfollowedAt !== null && (
        <When label={m.card.unfollowedAt} at={user.unfollowedAt} />
      )}
      <When label={m.card.lastMessageAt} at={user.lastMessageAt} />
      <When label={m.card.firstSeenAt} at={user.firstSeenAt} />
      {user.subscribeScene !== null && (
        <Fact label={m.card.scene}>{m.card.scenes[user.subscribeScene] ?? user.subscribeScene}</Fact>
      )}
      {user.adIds.length > 0 && <Fact label={m.card.adIds}>{formatList(user.adIds)}</Fact>}
    </Facts>
  );
}

function When({ label, at }: { label: string; at: string | null }) {
  const m = useMessages();
  return <Fact label={label}>{at === null ? m.card.never : <Time at={at} />}</Fact>;
}
