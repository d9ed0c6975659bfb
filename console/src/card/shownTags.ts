/** A tag as the card shows it: one that came or went says so for a while, in its own place. */
export interface ShownTag<Tag> {
  readonly tag: Tag;
  readonly phase: "here" | "arrived" | "left";
  /** When the phase began, in milliseconds of Unix time. */
  readonly at: number;
}

/** How long a change is pointed out, in milliseconds. */
export const POINTED_OUT = 6_000;

/**
 * Returns what is shown once the person has the tags `current`, in their order; what was shown `before` and is not among
 * them stays behind the tag that it stood behind. Nothing is new where nothing was shown before.
 */
export function followTags<Tag extends { readonly id: string }>(
  before: readonly ShownTag<Tag>[] | null,
  current: readonly Tag[],
  now: number,
): readonly ShownTag<Tag>[] {
  if (before === null) return current.map((tag) => ({ tag, phase: "here", at: now }));
  const known = new Map(before.map((each) => [each.tag.id, each]));
  const shown = current.map((tag): ShownTag<Tag> => {
    const earlier = known.get(tag.id);
    if (!earlier || earlier.phase === "left") return { tag, phase: "arrived", at: now };
    return { ...earlier, tag };
  });
  const kept = new Set(current.map((tag) => tag.id));
  before.forEach((each, index) => {
    if (kept.has(each.tag.id)) return;
    const previous = before[index - 1]?.tag.id;
    const place = shown.findIndex(({ tag }) => tag.id === previous) + 1;
    shown.splice(place, 0, each.phase === "left" ? each : { tag: each.tag, phase: "left", at: now });
  });
  return settle(shown, now);
}

/** Returns what is still shown at `now`: what left long enough ago is gone, what came is there like all others. */
export function settle<Tag>(shown: readonly ShownTag<Tag>[], now: number): readonly ShownTag<Tag>[] {
  return shown
    .filter((each) => each.phase !== "left" || now - each.at < POINTED_OUT)
    .map((each) =>
      each.phase === "arrived" && now - each.at >= POINTED_OUT ? { ...each, phase: "here" } : each,
    );
}
