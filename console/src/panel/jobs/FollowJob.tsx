import { FollowJobDocument } from "../../api/generated/graphql";
import { useSubscription } from "../../api/hooks";

/** Follows a job until it is finished; shows nothing: whoever shows the job learns it from the cache. */
export function FollowJob({ id }: { id: string }) {
  useSubscription(FollowJobDocument, { job: id });
  return null;
}
