import { Link } from "wouter-preact";
import { JobsDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { useMessages } from "../../i18n/messages";
import { Section } from "../../ui/Section";
import { FollowJob } from "../jobs/FollowJob";
import { JobTable } from "../jobs/JobsPage";
import { isFinished } from "../jobs/jobWords";
import styles from "./Sync.module.css";

const SHOWN = 5;

/** Lists the newest plans and syncs of a channel. */
export function SyncsSection({ channel }: { channel: string }) {
  const m = useMessages();
  const { data } = useQuery(JobsDocument, { channel, after: null });
  const syncs = data?.channel?.jobs?.nodes
    .filter(({ __typename }) => __typename === "OfficialAccountSync")
    .slice(0, SHOWN);
  return (
    <Section
      card
      title={m.sync.runs}
      actions={<Link href={`/channels/${encodeURIComponent(channel)}/jobs`}>{m.sync.allJobs}</Link>}
    >
      {syncs?.map(({ id, state }) => !isFinished(state) && <FollowJob key={id} id={id} />)}
      {syncs?.length === 0 && <p class={styles.muted}>{m.sync.noRuns}</p>}
      {syncs && syncs.length > 0 && <JobTable jobs={syncs} channel={channel} />}
    </Section>
  );
}
