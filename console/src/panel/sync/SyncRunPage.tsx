import { Link } from "wouter-preact";
import { FollowSyncDocument, SyncDocument, type SyncRunFragment } from "../../api/generated/graphql";
import { useQuery, useSubscription } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { LinkButton } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { Reason } from "../../ui/Reason";
import { PageHeader, Section } from "../../ui/Section";
import { CancelJob } from "../jobs/CancelJob";
import { JobState } from "../jobs/JobState";
import { isFinished } from "../jobs/jobWords";
import { paths } from "../tags/paths";
import { ApplyPlan } from "./ApplyPlan";
import { FailuresSection } from "./FailuresSection";
import { PlanFacts } from "./PlanFacts";
import { PlanTable } from "./PlanTable";

export default function SyncRunPage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const { channel = "", sync: id = "" } = params;
  const allowed = can("SYNC");
  const asked = useQuery(SyncDocument, { sync: id }, { pause: !allowed });
  if (!allowed) {
    return (
      <>
        <PageHeader title={m.sync.runTitle} />
        <Reason>{m.sync.notYours}</Reason>
      </>
    );
  }
  if (asked.problem?.code === "NOT_FOUND") {
    return (
      <>
        <PageHeader title={m.sync.runTitle} />
        <EmptyState
          title={m.sync.gone}
          action={<LinkButton href={paths.sync(channel)}>{m.sync.back}</LinkButton>}
        >
          {m.sync.goneHint}
        </EmptyState>
      </>
    );
  }
  return (
    <Answer asked={asked}>
      {({ officialAccountSync: sync }) => sync && <Run key={id} sync={sync} channel={channel} />}
    </Answer>
  );
}

function Run({ sync, channel }: { sync: SyncRunFragment; channel: string }) {
  const m = useMessages();
  const finished = isFinished(sync.state);
  useSubscription(FollowSyncDocument, { sync: sync.id }, { pause: finished });
  const title = sync.dryRun ? m.sync.planTitle : m.sync.runTitle;
  const isPlan = sync.dryRun && sync.state === "DONE";
  return (
    <Stack gap={5}>
      <PageHeader
        title={title}
        above={<Link href={paths.sync(channel)}>{m.sync.back}</Link>}
        description={finished ? undefined : sync.dryRun ? m.sync.planning : m.sync.applying}
        actions={!finished && <CancelJob id={sync.id} />}
      />
      <JobState job={sync} label={title} />
      {sync.warnings.length > 0 && (
        <Problem tone="caution" title={m.sync.warnings}>
          <ul>
            {sync.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Problem>
      )}
      {sync.callsNeeded !== null && <PlanFacts sync={sync} />}
      {isPlan && <ApplyPlan sync={sync} channel={channel} />}
      {(sync.state === "FAILED" || sync.state === "CANCELLED") && (
        <div>
          <LinkButton href={replan(sync, channel)}>{m.sync.replan}</LinkButton>
        </div>
      )}
      {sync.tags.length > 0 && (
        <Section title={m.sync.tags}>
          <PlanTable sync={sync} channel={channel} />
        </Section>
      )}
      {sync.tags.map((tag) =>
        tag.failed > 0 || tag.atTagLimit > 0 ? (
          <FailuresSection key={tag.tag.id} sync={sync.id} tag={tag} channel={channel} />
        ) : null,
      )}
    </Stack>
  );
}

/** Returns where the same tags are planned anew. */
export function replan(sync: SyncRunFragment, channel: string): string {
  const living = sync.tags.filter(({ tag }) => tag.deletedAt === null);
  return `${paths.sync(channel)}?${new URLSearchParams(living.map(({ tag }) => ["tags", tag.id]))}`;
}
