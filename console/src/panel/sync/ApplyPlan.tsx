import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { ApplySyncDocument, type SyncRunFragment } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button, LinkButton } from "../../ui/Button";
import { now } from "../../ui/clock";
import { Dialog } from "../../ui/Dialog";
import { Row, Stack } from "../../ui/Layout";
import { paths } from "../tags/paths";
import { obstacleOf, sumOf } from "./review";
import { replan } from "./SyncRunPage";

/** Carries out a plan as it is shown; where many people would lose a tag, only after that was asked with the numbers. */
export function ApplyPlan({ sync, channel }: { sync: SyncRunFragment; channel: string }) {
  const m = useMessages();
  const [, navigate] = useLocation();
  const { run, busy, problem } = useMutation(ApplySyncDocument);
  const [asking, setAsking] = useState(false);
  const obstacle = obstacleOf(sync, now.value);
  const words = { expired: m.sync.expired, nothing: m.sync.nothingToApply, refused: m.sync.allRefused };
  const apply = async (allowRemovals: boolean) => {
    const { data, problem: refused } = await run({
      plan: sync.id,
      hash: sync.planHash ?? "",
      allowRemovals,
    });
    if (refused?.code === "LIMIT_EXCEEDED" && !allowRemovals) setAsking(true);
    const id = data?.applySync?.sync.id;
    if (id) navigate(paths.sync(channel, id));
  };
  const removed = sync.tags.filter(({ toRemove }) => toRemove > 0);
  const people = formatCount(sumOf(sync.tags).toRemove);
  return (
    <Stack gap={3}>
      {!asking && problem?.code !== "LIMIT_EXCEEDED" && <ApiProblem problem={problem} />}
      <Row>
        <Button
          variant="primary"
          busy={busy}
          reason={obstacle && words[obstacle]}
          onClick={() => void apply(false)}
        >
          {m.sync.apply}
        </Button>
        {(obstacle === "expired" || obstacle === "refused" || problem?.code === "CONFLICT") && (
          <LinkButton href={replan(sync, channel)}>{m.sync.replan}</LinkButton>
        )}
      </Row>
      <Dialog
        open={asking}
        title={m.sync.removalsTitle}
        closeLabel={m.common.close}
        onClose={() => setAsking(false)}
        footer={
          <>
            <Button onClick={() => setAsking(false)}>{m.common.cancel}</Button>
            <Button variant="danger" busy={busy} onClick={() => void apply(true)}>
              {m.sync.removalsApply(people)}
            </Button>
          </>
        }
      >
        <Stack gap={3}>
          <ul>
            {removed.map(({ tag, toRemove, remoteName }) => (
              <li key={tag.id}>{m.sync.removals(formatCount(toRemove), remoteName)}</li>
            ))}
          </ul>
          <p>{m.sync.removalsHint}</p>
          {problem?.code !== "LIMIT_EXCEEDED" && <ApiProblem problem={problem} />}
        </Stack>
      </Dialog>
    </Stack>
  );
}
