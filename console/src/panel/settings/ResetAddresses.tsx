import { useState } from "preact/hooks";
import { type ChannelSettingsFragment, ResetChannelAddressesDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Stack } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { showToast } from "../../ui/toast";
import { useMessages } from "./messages";

/** Replaces the addresses of a channel, once somebody has read what stops with them. */
export function ResetAddresses({ channel }: { channel: ChannelSettingsFragment }) {
  const m = useMessages();
  const [open, setOpen] = useState(false);
  const { run, busy, problem } = useMutation(ResetChannelAddressesDocument);
  const reset = async () => {
    if (!(await run({ channel: channel.id })).data) return;
    setOpen(false);
    showToast({ text: m.settings.resetDone });
  };
  return (
    <Section
      title={m.settings.reset}
      description={m.settings.resetHint}
      card
      actions={<Button onClick={() => setOpen(true)}>{m.settings.resetButton}</Button>}
    >
      <Dialog
        open={open}
        title={m.settings.resetTitle}
        closeLabel={m.common.close}
        onClose={() => setOpen(false)}
        footer={
          <>
            <Button onClick={() => setOpen(false)}>{m.common.cancel}</Button>
            <Button variant="danger" busy={busy} onClick={reset}>
              {m.settings.resetButton}
            </Button>
          </>
        }
      >
        <Stack gap={3}>
          <ApiProblem problem={problem} />
          <p>{m.settings.resetPush}</p>
          {channel.kind !== "MINI_PROGRAM" && <p>{m.settings.resetAds}</p>}
          <p>{m.settings.resetFinal}</p>
        </Stack>
      </Dialog>
    </Section>
  );
}
