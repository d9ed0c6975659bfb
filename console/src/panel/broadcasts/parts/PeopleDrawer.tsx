import { useEffect, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import type { PeoplePageFragment } from "../../../api/generated/graphql";
import type { Problem } from "../../../api/problem";
import { ApiProblem } from "../../../app/ApiProblem";
import { formatCount } from "../../../i18n/format";
import { Button } from "../../../ui/Button";
import { Drawer } from "../../../ui/Dialog";
import { Stack } from "../../../ui/Layout";
import { Loading } from "../../../ui/Loading";
import { useMessages } from "../messages";
import styles from "./PeopleDrawer.module.css";
import { paths } from "./paths";

export type People = PeoplePageFragment;
/** Returns the next page of some people after a cursor; null for the page if there are none any more. */
export type LoadPeople = (after: string | null) => Promise<{ page: People | null; problem: Problem | null }>;

interface PeopleDrawerProps {
  channel: string;
  title: string;
  load: LoadPeople;
  onClose: () => void;
}

/** Names people, page by page, as they were when it was opened. */
export function PeopleDrawer({ channel, title, load, onClose }: PeopleDrawerProps) {
  const m = useMessages();
  const [people, setPeople] = useState<People["nodes"]>([]);
  const [last, setLast] = useState<People | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(true);
  const next = async (after: string | null) => {
    setBusy(true);
    const { page, problem } = await load(after);
    setBusy(false);
    setProblem(problem);
    if (!page) return;
    setLast(page);
    setPeople((known) => [...known, ...page.nodes]);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: the first page is asked for once, when it is opened
  useEffect(() => void next(null), []);
  const cursor = last?.pageInfo.hasNextPage ? last.pageInfo.endCursor : null;
  return (
    <Drawer open title={title} closeLabel={m.common.close} onClose={onClose}>
      <Stack gap={3}>
        {last && (
          <p class={styles.counted}>
            {m.broadcasts.report.peopleOf(formatCount(people.length), formatCount(last.totalCount))}
          </p>
        )}
        <ul class={styles.people}>
          {people.map(({ id, openid }) => (
            <li key={id}>
              <Link href={paths.person(channel, openid)}>{openid}</Link>
            </li>
          ))}
        </ul>
        {busy && !last && <Loading label={m.common.loading} shape="text" />}
        <ApiProblem problem={problem} again={() => void next(cursor)} />
        {cursor && (
          <Button busy={busy} onClick={() => void next(cursor)}>
            {m.common.more}
          </Button>
        )}
        <p class={styles.counted}>{m.broadcasts.report.forgottenToo}</p>
      </Stack>
    </Drawer>
  );
}
