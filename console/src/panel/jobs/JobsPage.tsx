import { useEffect } from "preact/hooks";
import { type JobRowFragment, JobsDocument } from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { MoreButton } from "../../app/MoreButton";
import { usePages } from "../../app/usePages";
import { can } from "../../app/viewer";
import { formatList } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { EmptyState } from "../../ui/EmptyState";
import { Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Reason } from "../../ui/Reason";
import { PageHeader } from "../../ui/Section";
import { Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { CancelJob } from "./CancelJob";
import { FollowJob } from "./FollowJob";
import { JobResult } from "./JobResult";
import { JobState } from "./JobState";
import styles from "./Jobs.module.css";
import { isFinished, kindOf } from "./jobWords";

const OFTEN = 10_000;
/** A connection carries at most 100 operations; older jobs that wait are read with the list. */
const FOLLOWED = 20;

export default function JobsPage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const mayCancel = can("EXPORT") || can("MANAGE_CHANNELS") || can("SYNC") || can("MANAGE_TAGS");
  return (
    <Stack gap={4}>
      <PageHeader title={m.jobs.heading} description={m.jobs.description} />
      {mayCancel ? <Jobs channel={params.channel ?? ""} /> : <Reason>{m.jobs.notYours}</Reason>}
    </Stack>
  );
}

function Jobs({ channel }: { channel: string }) {
  const m = useMessages();
  const { nodes, more, busy, problem, again } = usePages(
    JobsDocument,
    { channel },
    ({ channel: found }) => found?.jobs,
  );
  const single = nodes !== undefined && nodes.length <= 20;
  useEffect(() => {
    // Jobs that begin elsewhere come into the list; whoever has gone on to older ones is not taken back.
    if (!single) return;
    const timer = setInterval(() => !document.hidden && again(), OFTEN);
    return () => clearInterval(timer);
  }, [single, again]);
  const running = (nodes ?? []).filter(({ state }) => !isFinished(state)).slice(0, FOLLOWED);
  return (
    <>
      {running.map(({ id }) => (
        <FollowJob key={id} id={id} />
      ))}
      <ApiProblem problem={problem} again={again} />
      {!nodes && !problem && <Loading label={m.common.loading} />}
      {nodes?.length === 0 && <EmptyState title={m.jobs.none}>{m.jobs.noneHint}</EmptyState>}
      {nodes && nodes.length > 0 && <JobTable jobs={nodes} channel={channel} />}
      <MoreButton more={more} busy={busy} />
    </>
  );
}

/** Lists jobs, newest first. */
export function JobTable({ jobs, channel }: { jobs: readonly JobRowFragment[]; channel: string }) {
  const m = useMessages();
  const { columns } = m.jobs;
  return (
    <Table
      caption={m.jobs.heading}
      rows={jobs}
      rowKey={({ id }) => id}
      columns={[
        { key: "job", header: columns.job, primary: true, cell: (job) => <JobName job={job} /> },
        {
          key: "state",
          header: columns.state,
          cell: (job) => <JobState job={job} label={kindOf(job, m.jobs)} />,
        },
        { key: "asked", header: columns.asked, cell: ({ createdAt }) => <Time at={createdAt} /> },
        {
          key: "result",
          header: columns.result,
          cell: (job) => (
            <>
              <JobResult job={job} channel={channel} />
              {!isFinished(job.state) && <CancelJob id={job.id} />}
            </>
          ),
        },
      ]}
    />
  );
}

function JobName({ job }: { job: JobRowFragment }) {
  const m = useMessages();
  const synced = job.__typename === "OfficialAccountSync" ? job.tags.map(({ tag }) => tag.name) : [];
  return (
    <>
      {kindOf(job, m.jobs)}
      {synced.length > 0 && <p class={styles.muted}>{formatList(synced)}</p>}
      {job.__typename === "TagMerge" && (
        <p class={styles.muted}>{m.jobs.merges(job.from.name, job.into.name)}</p>
      )}
    </>
  );
}
