import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { type OfficialAccountLinkFragment, UnlinkTagDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { useMessages } from "../../i18n/messages";
import { Button, LinkButton } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { EmptyState } from "../../ui/EmptyState";
import { Fact, Facts, Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { RadioGroup } from "../../ui/RadioGroup";
import { Section } from "../../ui/Section";
import { Time } from "../../ui/Time";
import { showToast } from "../../ui/toast";
import { KeepInSync } from "./KeepInSync";
import { paths } from "./paths";
import { SyncState } from "./SyncState";
import type { TagRow } from "./tagList";

type SectionProps = {
  tag: TagRow;
  link: OfficialAccountLinkFragment | null;
  channel: string;
  /** Reads the tag again. */
  again: () => void;
};

/** Shows what a tag is linked to at the Official Account, and lets end or keep that. */
export function OfficialAccountSection({ tag, link, channel, again }: SectionProps) {
  const m = useMessages();
  const plan = tag.state === "ACTIVE" && (
    <LinkButton href={paths.planSync(channel, tag.id)}>{m.tags.planSync}</LinkButton>
  );
  return (
    <Section card title={m.tags.officialAccount} actions={link && plan}>
      {link ? (
        <Linked tag={tag} link={link} channel={channel} again={again} />
      ) : (
        <EmptyState title={m.tags.neverSynced} action={plan}>
          {m.tags.neverSyncedHint}
        </EmptyState>
      )}
    </Section>
  );
}

function Linked({ tag, link, channel, again }: SectionProps & { link: OfficialAccountLinkFragment }) {
  const m = useMessages();
  const [unlinking, setUnlinking] = useState(false);
  const linked = link.remoteTagId !== null;
  return (
    <Stack>
      {link.error && (
        <Problem tone="caution" title={m.tags.syncStates.failing}>
          {link.error}
        </Problem>
      )}
      <Facts>
        <Fact label={m.tags.state}>
          <SyncState link={link} />
        </Fact>
        <Fact label={m.tags.remoteName}>{link.remoteName}</Fact>
        <Fact label={m.tags.lastSynced}>
          {link.lastSyncedAt ? <Time at={link.lastSyncedAt} /> : m.tags.never}
        </Fact>
        {link.lastSync && (
          <Fact label={m.tags.lastSync}>
            <Link href={paths.sync(channel, link.lastSync.id)}>{m.jobs.states[link.lastSync.state]}</Link>
          </Fact>
        )}
      </Facts>
      {linked && (
        <>
          <KeepInSync tag={tag} kept={link.keepInSync} />
          <div>
            <Button onClick={() => setUnlinking(true)}>{m.tags.unlink}</Button>
          </div>
        </>
      )}
      {unlinking && (
        <UnlinkDialog
          tag={tag}
          remoteName={link.remoteName}
          again={again}
          onClose={() => setUnlinking(false)}
        />
      )}
    </Stack>
  );
}

type UnlinkProps = { tag: TagRow; remoteName: string; again: () => void; onClose: () => void };

function UnlinkDialog({ tag, remoteName, again, onClose }: UnlinkProps) {
  const m = useMessages();
  const { run, busy, problem } = useMutation(UnlinkTagDocument);
  const [remote, setRemote] = useState<"keep" | "delete">("keep");
  const unlink = async () => {
    const { data } = await run({ tag: tag.id, deleteRemote: remote === "delete" });
    if (!data) return;
    showToast({ text: m.tags.unlinked });
    onClose();
    again();
  };
  return (
    <Dialog
      open
      title={m.tags.unlinkTitle(remoteName)}
      closeLabel={m.common.close}
      onClose={onClose}
      onSubmit={unlink}
      footer={
        <>
          <Button onClick={onClose}>{m.common.cancel}</Button>
          <Button type="submit" variant={remote === "delete" ? "danger" : "primary"} busy={busy}>
            {m.tags.unlink}
          </Button>
        </>
      }
    >
      <Stack gap={3}>
        <p>{m.tags.unlinkHint}</p>
        <RadioGroup
          label={m.tags.unlinkRemote}
          value={remote}
          choices={[
            { value: "keep", label: m.tags.unlinkKeep, hint: m.tags.unlinkKeepHint },
            { value: "delete", label: m.tags.unlinkDelete, hint: m.tags.unlinkDeleteHint },
          ]}
          onChange={setRemote}
        />
        <ApiProblem problem={problem} />
      </Stack>
    </Dialog>
  );
}
