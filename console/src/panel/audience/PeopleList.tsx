import { useEffect } from "preact/hooks";
import { Link } from "wouter-preact";
import { AudiencePeopleDocument, type TagExpressionInput } from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { usePages } from "../../app/usePages";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { paths } from "../tags/paths";

interface PeopleListProps {
  readonly channel: string;
  readonly expression: TagExpressionInput;
  /** How many there are by the newest count: another number than the list's has it read again. */
  readonly count: number | null;
}

/** Lists the people of an expression, page by page, in the order they became known. */
export function PeopleList({ channel, expression, count }: PeopleListProps) {
  const m = useMessages();
  const variables = { channel, expression };
  const { nodes, total, more, busy, problem, again } = usePages(
    AudiencePeopleDocument,
    variables,
    (data) => data.audience?.users,
  );
  const isOld = !busy && count !== null && total !== undefined && count !== total;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new count is why it is read again
  useEffect(() => {
    if (isOld) again();
  }, [count]);
  return (
    <Stack gap={3}>
      <ApiProblem problem={problem} again={again} />
      {!nodes && !problem && <Loading label={m.common.loading} />}
      {nodes?.length === 0 && <EmptyState title={m.audience.noPeople}>{m.audience.noPeopleHint}</EmptyState>}
      {nodes && nodes.length > 0 && (
        <Table
          caption={m.audience.people}
          rows={nodes}
          rowKey={({ id }) => id}
          columns={[
            {
              key: "openid",
              header: m.audience.openid,
              primary: true,
              cell: ({ openid }) => (
                <Link href={paths.person(channel, openid)}>
                  <code>{openid}</code>
                </Link>
              ),
            },
            {
              key: "following",
              header: m.audience.following,
              cell: ({ following }) => (following ? m.audience.following : m.audience.notFollowing),
            },
            {
              key: "until",
              header: m.audience.touchableUntil,
              cell: ({ touchableUntil }) => (touchableUntil ? <Time at={touchableUntil} absolute /> : "–"),
            },
          ]}
        />
      )}
      {more && (
        <Button busy={busy} onClick={more}>
          {m.common.more}
        </Button>
      )}
    </Stack>
  );
}
