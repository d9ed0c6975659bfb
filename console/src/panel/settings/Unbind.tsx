import { useState } from "preact/hooks";
import {
  type ChannelSettingsFragment,
  UnbindChannelDocument,
  UnbindPreviewDocument,
  type UnbindPreviewQuery,
} from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { Stack } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { showToast } from "../../ui/toast";
import { isLastKey } from "./gateKeeping";
import { isOver } from "./jobStates";
import { useMessages } from "./messages";

type UnbindProps = { channel: ChannelSettingsFragment; again: () => void };

/** Unbinds a channel, once somebody has read what closes with it. */
export function Unbind({ channel, again }: UnbindProps) {
  const m = useMessages();
  const [open, setOpen] = useState(false);
  return (
    <Section
      title={m.settings.unbind}
      description={m.settings.unbindHint}
      card
      actions={<Button onClick={() => setOpen(true)}>{m.settings.unbindButton}</Button>}
    >
      {open && <UnbindDialog channel={channel} again={again} onClose={() => setOpen(false)} />}
    </Section>
  );
}

function UnbindDialog({ channel, again, onClose }: UnbindProps & { onClose: () => void }) {
  const m = useMessages();
  const preview = useQuery(UnbindPreviewDocument, { channel: channel.id }, { policy: "network-only" });
  const { run, busy, problem } = useMutation(UnbindChannelDocument);
  const unbind = async () => {
    if (!(await run({ channel: channel.id })).data) return;
    showToast({ text: m.settings.unbound(channel.name) });
    onClose();
    again();
  };
  return (
    <Dialog
      open
      title={m.settings.unbindTitle(channel.name)}
      closeLabel={m.common.close}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button variant="danger" busy={busy || preview.data === undefined} onClick={unbind}>
            {m.settings.unbindButton}
          </Button>
        </>
      }
    >
      <ApiProblem problem={problem} />
      <Answer asked={preview}>{(data) => <Closes channel={channel} preview={data} />}</Answer>
    </Dialog>
  );
}

function Closes({ channel, preview }: { channel: ChannelSettingsFragment; preview: UnbindPreviewQuery }) {
  const m = useMessages();
  const { channels } = preview;
  const last = isLastKey(channel, channels);
  const others = channels.some(({ id, bound }) => id !== channel.id && bound);
  const failing = preview.channel?.broadcasts?.nodes.filter(({ state }) => !isOver(state)) ?? [];
  return (
    <Stack gap={3}>
      <p>{m.settings.unbindChannel(formatCount(preview.channel?.tags.totalCount ?? 0))}</p>
      {last && <p>{m.settings.unbindGate}</p>}
      {!last && others && <p>{m.settings.unbindOpen}</p>}
      {failing.length === 0 ? (
        <p>{m.settings.unbindNoBroadcasts}</p>
      ) : (
        <div>
          <p>{m.settings.unbindBroadcasts(formatCount(failing.length))}</p>
          <ul>
            {failing.map(({ id, name }) => (
              <li key={id}>{name ?? m.settings.unnamed}</li>
            ))}
          </ul>
        </div>
      )}
      {last && others && <p>{m.settings.unbindOthers}</p>}
      <p>{m.settings.unbindRecords}</p>
    </Stack>
  );
}
