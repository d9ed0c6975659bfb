import { CancelJobDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { showToast } from "../../ui/toast";

/** Cancels a job; what it had done stays done, but for a merge of tags. */
export function CancelJob({ id }: { id: string }) {
  const m = useMessages();
  const { run, busy } = useMutation(CancelJobDocument);
  const cancel = async () => {
    const { data, problem } = await run({ job: id });
    if (problem) showToast({ text: m.problems[problem.code], tone: "negative" });
    const job = data?.cancelJob?.job;
    if (!job) return;
    const cancelled = job.__typename === "TagMerge" ? m.jobs.mergeCancelled : m.jobs.cancelled;
    showToast({ text: job.state === "CANCELLED" ? cancelled : m.jobs.finishedBefore });
  };
  return (
    <Button size="small" busy={busy} onClick={cancel}>
      {m.jobs.cancel}
    </Button>
  );
}
