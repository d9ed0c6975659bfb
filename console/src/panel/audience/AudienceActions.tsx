import { ExportAudienceDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { can } from "../../app/viewer";
import { Button, LinkButton } from "../../ui/Button";
import { DownloadIcon, PlusIcon, SendIcon } from "../../ui/icons";
import { Row, Stack } from "../../ui/Layout";
import { Reason } from "../../ui/Reason";
import { toQueryString } from "../expressions/queryString";
import { leavesOf, type Tree } from "../expressions/tree";
import type { AudienceOf } from "../expressions/useAudience";
import { useMessages } from "../looking/messages";
import { paths } from "../tags/paths";

interface AudienceActionsProps {
  readonly channel: string;
  readonly tree: Tree;
  readonly audience: AudienceOf;
  /** Whether it is looked at as of an earlier instant. */
  readonly isOfThen: boolean;
  /** Is told the id of the job that writes a file. */
  readonly onExport: (job: string) => void;
}

/** What can be done with an audience: keep it as a combo, write to it, export it; or why not. */
export function AudienceActions({ channel, tree, audience, isOfThen, onExport }: AudienceActionsProps) {
  const all = useMessages();
  const m = all.audience;
  const { run, busy, problem } = useMutation(ExportAudienceDocument);
  const missing = audience.input && audience.finished ? null : m.saveUnfinished;
  const expression = encodeURIComponent(toQueryString(tree));
  const hasReceived = leavesOf(tree).some(({ kind }) => kind === "received");
  const reasonOf = (allowed: boolean, notYours: string, ofThen: string, lacking: string | null) =>
    allowed ? (isOfThen ? ofThen : lacking) : notYours;
  const then = all.lookingBack;
  const exportNow = async () => {
    if (!audience.input) return;
    const { data } = await run({ input: { channelId: channel, expression: audience.input } });
    if (data?.exportAudience) onExport(data.exportAudience.job.id);
  };
  return (
    <Stack gap={2}>
      <Row>
        <Action
          href={`${paths.newTag(channel, "combo")}?expression=${expression}`}
          icon={<PlusIcon />}
          label={m.saveAsCombo}
          reason={reasonOf(
            can("MANAGE_TAGS"),
            m.saveNotYours,
            then.comboReason,
            hasReceived ? m.saveReceived : missing,
          )}
        />
        <Action
          href={`/channels/${encodeURIComponent(channel)}/broadcasts/new?expression=${expression}`}
          icon={<SendIcon />}
          label={m.broadcast}
          reason={reasonOf(can("BROADCAST"), m.broadcastNotYours, then.broadcastReason, missing)}
        />
        <Button
          icon={<DownloadIcon />}
          busy={busy}
          reason={reasonOf(can("EXPORT"), m.exportNotYours, then.exportReason, missing)}
          onClick={exportNow}
        >
          {m.export}
        </Button>
      </Row>
      {can("EXPORT") && !isOfThen && <Reason>{m.exportWarning}</Reason>}
      <ApiProblem problem={problem} />
    </Stack>
  );
}

interface ActionProps {
  readonly href: string;
  readonly icon: preact.ComponentChildren;
  readonly label: string;
  readonly reason: string | null;
}

/** A link while it leads somewhere; else a button that says why it does not. */
function Action({ href, icon, label, reason }: ActionProps) {
  if (reason === null) {
    return (
      <LinkButton href={href} icon={icon}>
        {label}
      </LinkButton>
    );
  }
  return (
    <Button icon={icon} reason={reason}>
      {label}
    </Button>
  );
}
