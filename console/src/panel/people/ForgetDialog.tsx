import { ForgetPersonDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Stack } from "../../ui/Layout";
import { showToast } from "../../ui/toast";

interface ForgetDialogProps {
  channel: string;
  openid: string;
  open: boolean;
  onClose: () => void;
}

/** Says what forgetting somebody deletes, keeps and cannot do, and does it. */
export function ForgetDialog({ channel, openid, open, onClose }: ForgetDialogProps) {
  const m = useMessages();
  const { run, busy, problem } = useMutation(ForgetPersonDocument);
  const forget = async () => {
    const { data } = await run({ channel, openid });
    if (!data) return;
    showToast({ text: data.forgetUser?.forgotten ? m.people.forgotten : m.people.notKnown });
    onClose();
  };
  return (
    <Dialog
      open={open}
      title={m.people.forgetTitle}
      closeLabel={m.common.close}
      onClose={onClose}
      onSubmit={() => void forget()}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" variant="danger" busy={busy}>
            {m.people.forgetConfirm}
          </Button>
        </>
      }
    >
      <Stack gap={3}>
        <p>
          <code>{openid}</code>
        </p>
        <p>{m.people.forgetDeletes}</p>
        <p>{m.people.forgetKeeps}</p>
        <p>{m.people.forgetLater}</p>
        <p>{m.people.forgetAtWechat}</p>
        <ApiProblem problem={problem} />
      </Stack>
    </Dialog>
  );
}
