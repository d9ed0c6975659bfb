import { useEffect, useRef } from "preact/hooks";
import { ChannelJobsDocument, type ChannelJobsQuery, FollowJobDocument } from "../../api/generated/graphql";
import { useQuery, useSubscription } from "../../api/hooks";
import { isOver } from "./jobStates";

type AnyJob = NonNullable<NonNullable<ChannelJobsQuery["channel"]>["jobs"]>["nodes"][number];

/**
 * Follows the newest job of a kind, of those that the channel began lately; `onOver` is called when it is over. Returns it,
 * null where there is none, and how to look for a newer one.
 */
export function useChannelJob<Kind extends AnyJob["__typename"]>(
  channel: string,
  kind: Kind,
  onOver: () => void,
): { job: Extract<AnyJob, { __typename: Kind }> | null; lookAgain: () => void } {
  const { data, again } = useQuery(ChannelJobsDocument, { channel });
  const found = data?.channel?.jobs?.nodes.find((each) => each.__typename === kind);
  const job = (found as Extract<AnyJob, { __typename: Kind }> | undefined) ?? null;
  const under = job !== null && !isOver(job.state);
  useSubscription(FollowJobDocument, { job: job?.id ?? "" }, { pause: !under });
  const was = useRef(false);
  useEffect(() => {
    if (was.current && !under) onOver();
    was.current = under;
  }, [under, onOver]);
  return { job, lookAgain: again };
}
