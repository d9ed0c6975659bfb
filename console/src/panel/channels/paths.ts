/** Return where the tags of a channel are. */
export function tagsOf({ id }: { id: string }): string {
  return `/channels/${encodeURIComponent(id)}/tags`;
}

/** Return where the settings of a channel are. */
export function settingsOf({ id }: { id: string }): string {
  return `/channels/${encodeURIComponent(id)}/settings`;
}

/** Return where a channel is bound again, filled in with what is known of it. */
export function bindAgain({ appId, kind, name }: { appId: string; kind: string; name: string }): string {
  return `/?${new URLSearchParams({ bind: kind, appId, name })}`;
}
