import { useState } from "preact/hooks";
import { MergePreviewDocument, MergeTagDocument } from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Problem } from "../../ui/Problem";
import { showToast } from "../../ui/toast";
import { IntoChoice } from "./IntoChoice";
import { MergeConsequences } from "./MergeConsequences";
import type { Mergeable } from "./mergeable";
import { useMessages } from "./messages";

type MergeDialogProps = {
  tag: Mergeable;
  channel: string;
  /** Id of the tag that was chosen; empty before. */
  into: string;
  onChoose: (into: string) => void;
  onClose: () => void;
  /** Is called once the tags are being merged. */
  onStarted: () => void;
};

/** Merges a tag into another, once it was chosen and shown what that does. */
export default function MergeDialog({ tag, channel, into, onChoose, onClose, onStarted }: MergeDialogProps) {
  const m = useMessages();
  // It keeps its name here, even if it is deleted meanwhile.
  const [{ id: from, name }] = useState(tag);
  const preview = useQuery(
    MergePreviewDocument,
    { from, into },
    { policy: "network-only", pause: into === "" },
  );
  const { run, busy, problem } = useMutation(MergeTagDocument);
  const [changed, setChanged] = useState(false);
  const found = into === "" || preview.problem ? null : preview.data?.mergeTagPreview;
  const shown = found?.into.id === into ? found : null;
  const merge = async () => {
    if (!shown) return;
    const { data, problem: refused } = await run({ from, into, previewHash: shown.hash });
    setChanged(refused?.code === "CONFLICT");
    if (refused?.code === "CONFLICT") preview.again();
    if (!data?.mergeTag) return;
    showToast({ text: m.merging.started(name, shown.into.name) });
    onStarted();
  };
  const choose = (chosen: string) => {
    setChanged(false);
    onChoose(chosen);
  };
  return (
    <Dialog
      open
      title={m.merging.title(name)}
      closeLabel={m.common.close}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          {shown && (
            <Button variant="danger" busy={busy || preview.fetching} onClick={merge}>
              {m.merging.button}
            </Button>
          )}
        </>
      }
    >
      <Stack gap={4}>
        {into === "" ? (
          <>
            <p>{m.merging.what}</p>
            <IntoChoice tag={tag} channel={channel} onChoose={choose} />
          </>
        ) : (
          <>
            {changed && !preview.problem && (
              <Problem tone="caution" title={m.merging.changed}>
                {m.merging.changedHint}
              </Problem>
            )}
            {problem?.code !== "CONFLICT" && <ApiProblem problem={problem} />}
            <ApiProblem problem={preview.problem} again={preview.again} />
            {!shown && !preview.problem && <Loading label={m.common.loading} shape="text" />}
            {shown && <MergeConsequences found={shown} channel={channel} />}
            <div>
              <Button size="small" onClick={() => choose("")}>
                {m.merging.another}
              </Button>
            </div>
          </>
        )}
      </Stack>
    </Dialog>
  );
}
