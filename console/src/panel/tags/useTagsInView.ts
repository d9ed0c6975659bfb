import { useClient } from "@urql/preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { treeOf } from "../../api/documents";
import { type TagInViewFragment, TagsInViewDocument } from "../../api/generated/graphql";
import { batches } from "./batches";

const SETTLE = 60;
const OFTEN = 60_000;
const DAY = 24 * 3_600_000;

export interface TagsInView {
  /** What was read of the tags that are, or were, in view. */
  readonly views: ReadonlyMap<string, TagInViewFragment>;
  /** Is given the element of a row, which names its tag in `data-tag`. */
  readonly observe: (row: Element | null) => void;
  /** Reads again what is in view: of these tags, or of all. */
  readonly refresh: (ids?: readonly string[]) => void;
}

/** Reads sizes, uses and links of the tags whose rows are in view, and once a minute anew. */
export function useTagsInView(): TagsInView {
  const client = useClient();
  const [views, setViews] = useState<ReadonlyMap<string, TagInViewFragment>>(new Map());
  const visible = useRef(new Set<string>());
  const known = useRef(new Set<string>());
  const wanted = useRef(new Set<string>());
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const ask = useCallback(async () => {
    const ids = [...wanted.current].filter((id) => visible.current.has(id));
    wanted.current.clear();
    const since = new Date(Math.floor((Date.now() - DAY) / 60_000) * 60_000).toISOString();
    for (const batch of batches(ids)) {
      const { data } = await client
        .query(treeOf(TagsInViewDocument), { ids: batch, since }, { requestPolicy: "network-only" })
        .toPromise();
      const found = (data?.nodes ?? []).filter((node) => node !== null) as TagInViewFragment[];
      if (found.length === 0) continue;
      for (const view of found) known.current.add(view.id);
      setViews((before) => new Map([...before, ...found.map((view) => [view.id, view] as const)]));
    }
  }, [client]);

  const want = useCallback(
    (ids: Iterable<string>) => {
      for (const id of ids) wanted.current.add(id);
      clearTimeout(timer.current);
      timer.current = setTimeout(ask, SETTLE);
    },
    [ask],
  );

  const observer = useMemo(
    () =>
      new IntersectionObserver(
        (entries) => {
          const fresh: string[] = [];
          for (const { target, isIntersecting } of entries) {
            const id = (target as HTMLElement).dataset.tag ?? "";
            if (!isIntersecting) visible.current.delete(id);
            else {
              visible.current.add(id);
              if (!known.current.has(id)) fresh.push(id);
            }
          }
          if (fresh.length > 0) want(fresh);
        },
        { rootMargin: "200px" },
      ),
    [want],
  );

  const refresh = useCallback((ids?: readonly string[]) => want(ids ?? visible.current), [want]);

  useEffect(() => {
    const often = setInterval(() => !document.hidden && refresh(), OFTEN);
    return () => {
      clearInterval(often);
      clearTimeout(timer.current);
      observer.disconnect();
    };
  }, [observer, refresh]);

  const observe = useCallback((row: Element | null) => row && observer.observe(row), [observer]);
  return { views, observe, refresh };
}
