import { type ReceiptRowFragment, UndoReturnBatchDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Stack } from "../../ui/Layout";
import { showToast } from "../../ui/toast";

/** Undoes a list, once somebody has read what that takes away. */
export function UndoDialog({ receipt, onClose }: { receipt: ReceiptRowFragment; onClose: () => void }) {
  const m = useMessages();
  const { run, busy, problem } = useMutation(UndoReturnBatchDocument);
  const undo = async () => {
    const { data } = await run({ receipt: receipt.id });
    const answer = data?.undoReturnBatch;
    if (!answer) return;
    showToast({ text: m.data.undoDone(formatCount(answer.removed), formatCount(answer.kept)) });
    onClose();
  };
  return (
    <Dialog
      open
      title={m.data.undoTitle}
      closeLabel={m.common.close}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button variant="danger" busy={busy} onClick={undo}>
            {m.data.undoButton}
          </Button>
        </>
      }
    >
      <Stack gap={3}>
        <ApiProblem problem={problem} />
        <p>{m.data.undoWhat(formatCount(receipt.added))}</p>
        <p>{m.data.undoFinal}</p>
      </Stack>
    </Dialog>
  );
}
