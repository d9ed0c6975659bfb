import { useState } from "preact/hooks";
import { ApiProblem } from "../../../app/ApiProblem";
import { viewer } from "../../../app/viewer";
import { Button, LinkButton } from "../../../ui/Button";
import { EditIcon, PauseIcon, PeopleIcon, PlayIcon } from "../../../ui/icons";
import { Row, Stack } from "../../../ui/Layout";
import { type Messages, useMessages } from "../messages";
import { paths } from "../parts/paths";
import { actsOn } from "../parts/states";
import { peopleWord } from "../parts/words";
import { ActDialog, type Asked } from "./ActDialog";
import { type Report, retryableOf } from "./parts";
import { useActs } from "./useActs";

/** Offers what can be done with a broadcast as it is; what cannot be taken back is asked about, with its consequences. */
export function Actions({ channel, report }: { channel: string; report: Report }) {
  const m = useMessages();
  const words = m.broadcasts.report;
  const { run, busy, problem } = useActs(report.id);
  const [asked, setAsked] = useState<Asked | null>(null);
  const can = actsOn(report);
  const retryable = retryableOf(report);
  const isOwn = report.createdBy === viewer.value?.subject;
  return (
    <Stack gap={3}>
      <Row gap={2} top>
        {can.approve && (
          <Button
            variant="primary"
            busy={busy === "approve"}
            reason={isOwn ? words.approveOwn : null}
            onClick={() => run("approve")}
          >
            {words.approveFor}
          </Button>
        )}
        {can.resume && (
          <Button
            variant="primary"
            icon={<PlayIcon />}
            busy={busy === "resume"}
            onClick={() => run("resume")}
          >
            {resumeWord(m, report)}
          </Button>
        )}
        {can.pause && (
          <Button icon={<PauseIcon />} busy={busy === "pause"} onClick={() => run("pause")}>
            {words.pause}
          </Button>
        )}
        {can.change && (
          <LinkButton href={paths.edit(channel, report.id)} icon={<EditIcon />}>
            {words.edit}
          </LinkButton>
        )}
        {can.retry && retryable > 0 && (
          <Button onClick={() => setAsked("retryFailed")}>
            {words.retryFailed(peopleWord(m, retryable))}
          </Button>
        )}
        {can.retry && report.uncertain > 0 && (
          <Button onClick={() => setAsked("retryUncertain")}>
            {words.retryUncertain(peopleWord(m, report.uncertain))}
          </Button>
        )}
        {report.sent + report.uncertain > 0 && (
          <LinkButton href={paths.received(channel, report.id)} icon={<PeopleIcon />}>
            {words.audienceOf}
          </LinkButton>
        )}
        <LinkButton href={paths.compose(channel, report.id)}>{words.again}</LinkButton>
        {can.cancel && (
          <Button variant="danger" onClick={() => setAsked("cancel")}>
            {words.cancel}
          </Button>
        )}
      </Row>
      <ApiProblem
        problem={problem}
        title={problem?.code === "FORBIDDEN" && can.approve ? words.approveOwn : undefined}
      />
      {asked && (
        <ActDialog
          act={asked}
          report={report}
          busy={busy !== null}
          onClose={() => setAsked(null)}
          onDo={async () => {
            await run(asked);
            setAsked(null);
          }}
        />
      )}
    </Stack>
  );
}

function resumeWord(m: Messages, { waitingFor }: Report): string {
  const { resumeFor, resume } = m.broadcasts.report;
  return (waitingFor && (resumeFor as Record<string, string>)[waitingFor]) ?? resume;
}
