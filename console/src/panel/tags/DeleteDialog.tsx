import { useState } from "preact/hooks";
import { DeleteTagDocument, DeleteTagPreviewDocument } from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Row, Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { TagChip } from "../../ui/TagChip";
import { showToast } from "../../ui/toast";
import { BroadcastLinks } from "./BroadcastLinks";
import type { TagRow } from "./tagList";

type DeleteDialogProps = { tag: TagRow; channel: string; onClose: () => void };

/** Deletes a tag, once it was shown what that takes with it. */
export function DeleteDialog({ tag, channel, onClose }: DeleteDialogProps) {
  const m = useMessages();
  // What is shown is as it was when the dialog opened, and so is the name, even if the tag is deleted meanwhile.
  const [{ name }] = useState(tag);
  const preview = useQuery(DeleteTagPreviewDocument, { id: tag.id }, { policy: "network-only" });
  const { run, busy, problem } = useMutation(DeleteTagDocument);
  const found = preview.data?.deleteTagPreview;
  const remove = async () => {
    const { data } = await run({ id: tag.id });
    if (!data?.deleteTag) return;
    const lapsed = data.deleteTag.lapsed.length;
    showToast({
      text: lapsed === 0 ? m.tags.deleted(name) : m.tags.deletedLapsed(name, formatCount(lapsed)),
    });
    onClose();
  };
  return (
    <Dialog
      open
      title={m.tags.deleteTitle(name)}
      closeLabel={m.common.close}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          {found && (
            <Button variant="danger" busy={busy} onClick={remove}>
              {m.tags.deleteButton}
            </Button>
          )}
        </>
      }
    >
      <Stack gap={3}>
        <ApiProblem problem={problem ?? preview.problem} again={problem ? undefined : preview.again} />
        {!found && !preview.problem && <Loading label={m.common.loading} shape="text" />}
        {found && <Consequences found={found} channel={channel} />}
      </Stack>
    </Dialog>
  );
}

type Preview = NonNullable<import("../../api/generated/graphql").DeleteTagPreviewQuery["deleteTagPreview"]>;

function Consequences({ found, channel }: { found: Preview; channel: string }) {
  const m = useMessages();
  const { tag, wouldLapse, broadcasts } = found;
  const link = tag.officialAccount;
  return (
    <>
      <p>
        {tag.memberCount === 0
          ? m.tags.deleteNobody
          : m.tags.deleteLoses(m.tags.people(formatCount(tag.memberCount)))}
      </p>
      {wouldLapse.length === 0 ? (
        <p>{m.tags.deleteLapseNone}</p>
      ) : (
        <div>
          <p>{m.tags.deleteLapse(formatCount(wouldLapse.length))}</p>
          <Row>
            {wouldLapse.map((combo) => (
              <TagChip
                key={combo.id}
                kind={combo.kind}
                kindLabel={m.common.kinds[combo.kind]}
                state={combo.state}
                name={`${combo.name} · ${m.tags.people(formatCount(combo.memberCount))}`}
              />
            ))}
          </Row>
        </div>
      )}
      {broadcasts.length === 0 ? (
        <p>{m.tags.deleteBroadcastsNone}</p>
      ) : (
        <div>
          <p>{m.tags.deleteBroadcasts(formatCount(broadcasts.length))}</p>
          <BroadcastLinks broadcasts={broadcasts} channel={channel} />
        </div>
      )}
      {link && link.remoteTagId !== null && <p>{m.tags.deleteRemote(link.remoteName)}</p>}
      <p>
        <strong>{m.tags.deleteFinal}</strong>
      </p>
    </>
  );
}
