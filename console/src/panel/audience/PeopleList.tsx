import { useEffect } from "preact/hooks";
import { AudiencePeopleDocument, type TagExpressionInput } from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { MoreButton } from "../../app/MoreButton";
import { usePages } from "../../app/usePages";
import { useMessages } from "../../i18n/messages";
import { EmptyState } from "../../ui/EmptyState";
import { Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { PeopleTable } from "../people/PeopleTable";

interface PeopleListProps {
  readonly channel: string;
  readonly expression: TagExpressionInput;
  /** How many there are by the newest count: another number than the list's has it read again. */
  readonly count: number | null;
  /** The earlier instant that they are listed of; null for now. */
  readonly asOf?: string | null;
}

/** Lists the people of an expression, page by page, in the order they became known. */
export function PeopleList({ channel, expression, count, asOf = null }: PeopleListProps) {
  const m = useMessages();
  const variables = { channel, expression, asOf };
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
        <PeopleTable caption={m.audience.people} channel={channel} people={nodes} />
      )}
      <MoreButton more={more} busy={busy} />
    </Stack>
  );
}
