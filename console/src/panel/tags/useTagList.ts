import { type OperationResult, useClient } from "@urql/preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { caughtUpAt } from "../../api/connection";
import { treeOf } from "../../api/documents";
import {
  type TagsChannelFragment,
  TagsDocument,
  type TagsQuery,
  type TagsQueryVariables,
} from "../../api/generated/graphql";
import { type Problem, problemOf } from "../../api/problem";
import { feedHasBegun, type TagChange, useTagFeed } from "./feed";
import { changed, type Tags, withPage } from "./tagList";

/** Events come in bursts, once a second of each tag: they are shown together, so that rows are rendered once. */
const TOGETHER = 150;
/** How long the list waits for the feed to begin; where it begins later, the list is loaded again. */
const PATIENCE = 400;

export interface TagList {
  /** The channel as it is now; undefined until it was read, null if there is none. */
  readonly channel: TagsChannelFragment | null | undefined;
  readonly tags: Tags;
  /** How many tags the channel has, as far as pages tell. */
  readonly total: number;
  /** Whether all pages are there. */
  readonly complete: boolean;
}

const NOTHING: TagList = { channel: undefined, tags: new Map(), total: 0, complete: false };

/**
 * Loads all tags of a channel and keeps them as the feed tells. They are kept beside the cache, since that would read all of
 * a list again for each change of a number.
 *
 * Nothing is missed between the list and the feed: the feed begins with RESET, and the list is read after that; what comes
 * meanwhile is applied again to what was read.
 */
export function useTagList(
  channel: string,
  told: (changes: readonly TagChange[]) => void,
): { list: TagList; problem: Problem | null; again: () => void } {
  const client = useClient();
  const [list, setList] = useState(NOTHING);
  const [problem, setProblem] = useState<Problem | null>(null);
  const newest = useRef(0);
  const waiting = useRef<TagChange[]>([]);
  const sinceLoad = useRef<TagChange[] | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const hear = useRef(told);
  hear.current = told;

  const again = useCallback(async () => {
    newest.current += 1;
    const turn = newest.current;
    sinceLoad.current = [];
    const readPage = (start: string | null) =>
      client
        .query(treeOf(TagsDocument), { channel, after: start }, { requestPolicy: "network-only" })
        .toPromise();
    let pages: Tags = new Map();
    let after: string | null = null;
    do {
      const { data, error }: OperationResult<TagsQuery, TagsQueryVariables> = await readPage(after);
      if (turn !== newest.current) return;
      const found = data?.channel;
      setProblem(error ? problemOf(error) : null);
      if (error || !data) {
        sinceLoad.current = null;
        return;
      }
      pages = withPage(pages, found?.tags.nodes ?? []);
      after = (found?.tags.pageInfo.hasNextPage && found.tags.pageInfo.endCursor) || null;
      const complete = after === null;
      const read = changed(pages, sinceLoad.current);
      const total = found?.tags.totalCount ?? 0;
      // What is there already stays until all of the new list is: pages that come one by one would make rows go and come.
      setList((before) => ({
        channel: found ?? null,
        tags: complete || !before.complete ? read : before.tags,
        total,
        complete: complete || before.complete,
      }));
    } while (after !== null);
    sinceLoad.current = null;
  }, [client, channel]);

  useEffect(() => {
    setList(NOTHING);
    newest.current = 0;
    if (feedHasBegun(channel)) void again();
    const patience = setTimeout(() => newest.current === 0 && void again(), PATIENCE);
    return () => {
      clearTimeout(patience);
      clearTimeout(timer.current);
      timer.current = undefined;
      newest.current = -1;
      waiting.current = [];
    };
  }, [again, channel]);

  const flush = useCallback(() => {
    timer.current = undefined;
    const changes = waiting.current;
    waiting.current = [];
    setList((before) => ({ ...before, tags: changed(before.tags, changes) }));
    hear.current(changes);
  }, []);

  const onEvent = useCallback(
    (event: TagChange) => {
      if (event.kind === "RESET") {
        waiting.current = [];
        void again();
        return;
      }
      waiting.current.push(event);
      sinceLoad.current?.push(event);
      timer.current ??= setTimeout(flush, TOGETHER);
    },
    [again, flush],
  );

  useTagFeed(onEvent);

  // A list that could not be read is read once the line is there again; the feed tells only what happens from then on.
  const back = caughtUpAt.value;
  const failed = problem !== null;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the line coming back is why it is read again
  useEffect(() => {
    if (failed) void again();
  }, [back]);

  return { list, problem, again };
}
