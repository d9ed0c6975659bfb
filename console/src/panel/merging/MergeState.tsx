import { useEffect } from "preact/hooks";
import { type JobRowFragment, MergesUnderWayDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Row, Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { Section } from "../../ui/Section";
import { CancelJob } from "../jobs/CancelJob";
import { FollowJob } from "../jobs/FollowJob";
import { JobState } from "../jobs/JobState";
import { isFinished } from "../jobs/jobWords";
import { useMessages } from "./messages";

type Merge = Extract<JobRowFragment, { __typename: "TagMerge" }>;
type MergeStateProps = {
  tag: string;
  channel: string /** Changes when there may be another merge. */;
  asOf: number;
};

/** Shows how far a tag is that is being merged, or into which another is; nothing while there is no such merge. */
export default function MergeState({ tag, channel, asOf }: MergeStateProps) {
  const m = useMessages();
  const { data, again } = useQuery(MergesUnderWayDocument, { channel }, { policy: "cache-and-network" });
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever there may be another one
  useEffect(() => {
    if (asOf > 0) again();
  }, [asOf]);
  const merges = (data?.channel?.jobs?.nodes ?? []).filter(
    (job): job is Merge => job.__typename === "TagMerge",
  );
  const mine = merges.find(({ from, into }) => from.id === tag || into.id === tag);
  if (!mine || mine.state === "DONE" || mine.state === "CANCELLED") return null;
  const names = [mine.from.name, mine.into.name] as const;
  if (mine.state === "FAILED") {
    return (
      <Problem tone="caution" title={m.merging.failed(...names)}>
        {mine.error}
      </Problem>
    );
  }
  return (
    <Section card title={m.merging.underWay(...names)} description={m.merging.underWayHint}>
      {!isFinished(mine.state) && <FollowJob id={mine.id} />}
      <Stack gap={3}>
        <JobState job={mine} label={m.merging.underWay(...names)} />
        <Row>
          <CancelJob id={mine.id} />
        </Row>
      </Stack>
    </Section>
  );
}
