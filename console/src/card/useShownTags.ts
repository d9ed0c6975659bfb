import { useEffect, useRef, useState } from "preact/hooks";
import { followTags, POINTED_OUT, type ShownTag, settle } from "./shownTags";

/** Shows the tags of one person so that each change is seen: for a while a tag that left is still in its place. */
export function useShownTags<Tag extends { readonly id: string }>(
  tags: readonly Tag[],
): readonly ShownTag<Tag>[] {
  const shown = useRef<readonly ShownTag<Tag>[] | null>(null);
  const followed = useRef<readonly Tag[] | null>(null);
  const [, setSettled] = useState(0);
  if (followed.current !== tags) {
    followed.current = tags;
    shown.current = followTags(shown.current, tags, Date.now());
  }
  const current = shown.current ?? [];
  const oldest = Math.min(...current.filter(({ phase }) => phase !== "here").map(({ at }) => at));
  useEffect(() => {
    if (!Number.isFinite(oldest)) return;
    const timer = setTimeout(
      () => {
        shown.current = settle(shown.current ?? [], Date.now());
        setSettled(Date.now());
      },
      Math.max(0, oldest + POINTED_OUT - Date.now()) + 20,
    );
    return () => clearTimeout(timer);
  }, [oldest]);
  return current;
}
