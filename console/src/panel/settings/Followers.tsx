import {
  CancelJobDocument,
  type ChannelSettingsFragment,
  ImportFollowersDocument,
  type JobProgressFragment,
} from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount, formatInstant } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { Row, Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { Progress } from "../../ui/Progress";
import { Section } from "../../ui/Section";
import { QueuedLong } from "../jobs/QueuedLong";
import { isOver } from "./jobStates";
import { type Messages, useMessages } from "./messages";
import { useChannelJob } from "./useChannelJob";

/** Imports the followers of an account, and shows how far that is. */
export function Followers({ channel, again }: { channel: ChannelSettingsFragment; again: () => void }) {
  const m = useMessages();
  const { job, lookAgain } = useChannelJob(channel.id, "FollowerImport", again);
  const { run, busy, problem } = useMutation(ImportFollowersDocument);
  const begin = async () => {
    if ((await run({ channel: channel.id })).data) lookAgain();
  };
  const under = job !== null && !isOver(job.state);
  return (
    <Section
      title={m.settings.followersHeading}
      description={m.settings.followersHint}
      card
      actions={
        !under && (
          <Button busy={busy} reason={obstacle(channel, m)} onClick={begin}>
            {m.settings.import}
          </Button>
        )
      }
    >
      <Stack gap={2}>
        <ApiProblem problem={problem} />
        {job && (under ? <Running job={job} /> : <Over job={job} />)}
      </Stack>
    </Section>
  );
}

function obstacle(channel: ChannelSettingsFragment, m: Messages): string | null {
  if (channel.kind === "MINI_PROGRAM") return m.settings.importMini;
  if (!channel.bound) return m.settings.importUnbound;
  return channel.credentials?.appSecretSet === false ? m.settings.importSecret : null;
}

function Running({ job }: { job: JobProgressFragment }) {
  const m = useMessages();
  const { run, busy, problem } = useMutation(CancelJobDocument);
  return (
    <>
      <ApiProblem problem={problem} />
      <QueuedLong job={job} />
      <Progress label={m.settings.importing} value={job.done} max={job.total} detail={detailOf(job, m)} />
      <Row>
        <Button busy={busy} onClick={() => void run({ job: job.id })}>
          {m.settings.cancelImport}
        </Button>
      </Row>
    </>
  );
}

function detailOf({ state, resumesAt, done, total }: JobProgressFragment, m: Messages): string {
  if (state === "QUEUED") return m.settings.importQueued;
  if (state === "WAITING" && resumesAt !== null) return m.settings.importWaits(formatInstant(resumesAt));
  return total === null ? formatCount(done) : m.settings.progressOf(formatCount(done), formatCount(total));
}

function Over({ job }: { job: JobProgressFragment }) {
  const m = useMessages();
  if (job.state === "FAILED") {
    return (
      <Problem title={m.settings.importFailed}>
        {job.error ?? (job.errorCode === null ? "" : m.problems[job.errorCode])}
      </Problem>
    );
  }
  if (job.state === "CANCELLED") return <p>{m.settings.importCancelled}</p>;
  return <p>{m.settings.imported(formatCount(job.done), formatInstant(job.finishedAt ?? job.createdAt))}</p>;
}
