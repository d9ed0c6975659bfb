import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Stack } from "../../ui/Layout";
import type { ReturnTagOfList } from "./NewReturnPage";

type ConfirmReplaceProps = {
  open: boolean;
  tag: ReturnTagOfList;
  listed: number;
  onClose: () => void;
  onReplace: () => void;
};

/** Says who loses the tag by a replacement, which cannot be undone. */
export function ConfirmReplace({ open, tag, listed, onClose, onReplace }: ConfirmReplaceProps) {
  const m = useMessages();
  return (
    <Dialog
      open={open}
      title={m.data.confirmReplace(tag.name)}
      closeLabel={m.common.close}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button variant="danger" onClick={onReplace}>
            {m.data.submit.REPLACE}
          </Button>
        </>
      }
    >
      <Stack gap={3}>
        <p>{m.data.replaceLoses(formatCount(tag.memberCount), formatCount(listed))}</p>
        <p>{m.data.replaceEnds}</p>
      </Stack>
    </Dialog>
  );
}
