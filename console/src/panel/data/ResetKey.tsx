import { useState } from "preact/hooks";
import { ResetReturnKeyDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Stack } from "../../ui/Layout";
import { Time } from "../../ui/Time";
import { showToast } from "../../ui/toast";

type ResetKeyProps = {
  endpoint: { readonly lastCallAt: string | null; readonly keyResetAt: string | null };
  onReset: () => void;
};

/** Replaces the key, once somebody has read what stops with it. */
export function ResetKey({ endpoint, onReset }: ResetKeyProps) {
  const m = useMessages();
  const [open, setOpen] = useState(false);
  const { run, busy, problem } = useMutation(ResetReturnKeyDocument);
  const reset = async () => {
    if (!(await run({})).data) return;
    setOpen(false);
    showToast({ text: m.data.resetDone });
    onReset();
  };
  const { lastCallAt, keyResetAt } = endpoint;
  // The last call is told to the minute.
  const used =
    lastCallAt !== null && (keyResetAt === null || Date.parse(lastCallAt) + 60_000 > Date.parse(keyResetAt));
  return (
    <>
      <Button onClick={() => setOpen(true)}>{m.data.reset}</Button>
      <Dialog
        open={open}
        title={m.data.resetTitle}
        closeLabel={m.common.close}
        onClose={() => setOpen(false)}
        footer={
          <>
            <Button onClick={() => setOpen(false)}>{m.common.cancel}</Button>
            <Button variant="danger" busy={busy} onClick={reset}>
              {m.data.reset}
            </Button>
          </>
        }
      >
        <Stack gap={3}>
          <ApiProblem problem={problem} />
          <p>{m.data.resetStops}</p>
          <p>
            {used ? (
              <>
                {m.data.resetLastCall} <Time at={lastCallAt} />.
              </>
            ) : (
              m.data.resetUnused
            )}
          </p>
          <p>{m.data.resetKeeps}</p>
          <p>{m.data.resetFinal}</p>
        </Stack>
      </Dialog>
    </>
  );
}
