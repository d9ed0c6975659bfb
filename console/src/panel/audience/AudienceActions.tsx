import { ExportAudienceDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { Button, LinkButton } from "../../ui/Button";
import { DownloadIcon, PlusIcon, SendIcon } from "../../ui/icons";
import { Row, Stack } from "../../ui/Layout";
import { Reason } from "../../ui/Reason";
import { toQueryString } from "../expressions/queryString";
import { leavesOf, type Tree } from "../expressions/tree";
import type { AudienceOf } from "../expressions/useAudience";
import { paths } from "../tags/paths";

interface AudienceActionsProps {
  readonly channel: string;
  readonly tree: Tree;
  readonly audience: AudienceOf;
  /** Is told the id of the job that writes a file. */
  readonly onExport: (job: string) => void;
}

/** What can be done with an audience: keep it as a combo, write to it, export it; or why not. */
export function AudienceActions({ channel, tree, audience, onExport }: AudienceActionsProps) {
  const m = useMessages().audience;
  const { run, busy, problem } = useMutation(ExportAudienceDocument);
  const missing = audience.input && audience.finished ? null : m.saveUnfinished;
  const expression = encodeURIComponent(toQueryString(tree));
  const hasReceived = leavesOf(tree).some(({ kind }) => kind === "received");
  const comboReason = can("MANAGE_TAGS") ? (hasReceived ? m.saveReceived : missing) : m.saveNotYours;
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
          reason={comboReason}
        />
        <Action
          href={`/channels/${encodeURIComponent(channel)}/broadcasts/new?expression=${expression}`}
          icon={<SendIcon />}
          label={m.broadcast}
          reason={can("BROADCAST") ? missing : m.broadcastNotYours}
        />
        <Button
          icon={<DownloadIcon />}
          busy={busy}
          reason={can("EXPORT") ? missing : m.exportNotYours}
          onClick={exportNow}
        >
          {m.export}
        </Button>
      </Row>
      {can("EXPORT") && <Reason>{m.exportWarning}</Reason>}
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
