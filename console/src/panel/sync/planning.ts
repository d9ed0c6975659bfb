import type { RemoteAdditions, SyncConflict, SyncInput, SyncTagFragment } from "../../api/generated/graphql";

export const MAX_TAGS = 100;
const MAX_NAME_BYTES = 30;

/** Tells whether WeChat takes a name: at most 30 bytes of UTF-8. */
export function fitsAtWechat(name: string): boolean {
  return new TextEncoder().encode(name.trim()).length <= MAX_NAME_BYTES;
}

export interface PlanChoice {
  readonly keepInSync: boolean;
  readonly onConflict: SyncConflict;
  readonly remoteAdditions: RemoteAdditions;
  /** Names at WeChat by tag, where another one than its own was given. */
  readonly names: Readonly<Record<string, string>>;
}

export const USUAL: PlanChoice = {
  keepInSync: false,
  onConflict: "FAIL",
  remoteAdditions: "KEEP",
  names: {},
};

/** Returns the name that a tag would have at WeChat: the given one, the one it is linked to, or its own. */
export function remoteNameOf(tag: SyncTagFragment, names: PlanChoice["names"]): string {
  return names[tag.id]?.trim() || (isLinked(tag) ? (tag.officialAccount?.remoteName ?? tag.name) : tag.name);
}

/** Tells whether a tag has a tag of WeChat's now. */
export function isLinked({ officialAccount }: SyncTagFragment): boolean {
  return officialAccount !== null && officialAccount.remoteTagId !== null;
}

/** Returns what to ask the service for; names are given only where they are not the tag's own. */
export function planInput(
  channelId: string,
  tags: readonly SyncTagFragment[],
  choice: PlanChoice,
): SyncInput {
  const remoteNames = tags.flatMap((tag) => {
    const name = choice.names[tag.id]?.trim();
    return name ? [{ tagId: tag.id, name }] : [];
  });
  const { keepInSync, onConflict, remoteAdditions } = choice;
  return {
    channelId,
    tagIds: tags.map(({ id }) => id),
    dryRun: true,
    keepInSync,
    onConflict,
    remoteAdditions,
    ...(remoteNames.length > 0 && { remoteNames }),
  };
}
