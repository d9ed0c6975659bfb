import { useMemo } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import {
  BroadcastFormDocument,
  BroadcastToEditDocument,
  type BroadcastToEditQuery,
  UpdateBroadcastDocument,
} from "../../../api/generated/graphql";
import { useMutation, useQuery } from "../../../api/hooks";
import { Answer } from "../../../app/Answer";
import { ApiProblem } from "../../../app/ApiProblem";
import { Button, LinkButton } from "../../../ui/Button";
import { EmptyState } from "../../../ui/EmptyState";
import { Row, Stack } from "../../../ui/Layout";
import { PageHeader } from "../../../ui/Section";
import { useMessages } from "../messages";
import { Guarded } from "../parts/Guarded";
import { MissingBroadcast } from "../parts/MissingBroadcast";
import { paths } from "../parts/paths";
import { canBeChanged } from "../parts/states";
import { useFieldErrors } from "../parts/useFieldErrors";
import { BroadcastForm } from "./BroadcastForm";
import { draftName } from "./draftStore";
import { draftOf } from "./fromBroadcast";
import { audienceOf, updateOf } from "./inputs";
import type { FormChannel } from "./KindField";
import { useDraft } from "./useDraft";
import { usePreview } from "./usePreview";

export default function EditBroadcastPage({ params }: { params: Record<string, string> }) {
  return (
    <Guarded>
      <Asked channel={params.channel ?? ""} id={params.broadcast ?? ""} />
    </Guarded>
  );
}

function Asked({ channel, id }: { channel: string; id: string }) {
  const m = useMessages();
  const asked = useQuery(BroadcastFormDocument, { channel });
  const edited = useQuery(BroadcastToEditDocument, { id });
  if (edited.problem?.code === "NOT_FOUND") return <MissingBroadcast channel={channel} />;
  const name = edited.data?.broadcast?.name;
  const above = (
    <>
      <Link href={paths.list(channel)}>{m.broadcasts.heading}</Link>
      {name && (
        <>
          {" · "}
          <Link href={paths.report(channel, id)}>{name}</Link>
        </>
      )}
    </>
  );
  return (
    <Stack gap={5}>
      <PageHeader above={above} title={m.broadcasts.compose.editHeading} />
      <Answer asked={asked}>
        {(data) => (
          <Answer asked={edited}>
            {({ broadcast }) =>
              data.channel && broadcast && <Edit key={id} channel={data.channel} broadcast={broadcast} />
            }
          </Answer>
        )}
      </Answer>
    </Stack>
  );
}

type Broadcast = NonNullable<BroadcastToEditQuery["broadcast"]>;

function Edit({ channel, broadcast }: { channel: FormChannel; broadcast: Broadcast }) {
  const m = useMessages();
  const words = m.broadcasts.compose;
  const [, navigate] = useLocation();
  const before = useMemo(() => draftOf(broadcast), [broadcast]);
  const editing = useDraft(draftName(channel.id, `edit:${broadcast.id}`), () => before);
  const { draft, forget } = editing;
  const previewed = usePreview(draft, channel.id);
  const update = useMutation(UpdateBroadcastDocument);
  const errorAt = useFieldErrors(update.problem, previewed.problem);
  const report = paths.report(channel.id, broadcast.id);
  if (!canBeChanged(broadcast)) {
    const action = <LinkButton href={report}>{m.broadcasts.report.about}</LinkButton>;
    return (
      <EmptyState title={words.noEditTitle} action={action}>
        {words.noEditText}
      </EmptyState>
    );
  }
  const input = updateOf(draft, before, broadcast.id);
  const unchanged = input !== null && Object.keys(input).length === 1;
  const save = async () => {
    if (!input) return;
    const { problem } = await update.run({ input });
    if (problem) return;
    forget();
    navigate(report, { replace: true });
  };
  const reason = !audienceOf(draft) ? words.reviewReason : unchanged ? words.unchanged : null;
  return (
    <BroadcastForm
      channel={channel}
      editing={editing}
      errorAt={errorAt}
      problem={update.problem ?? previewed.problem}
      previewed={previewed}
      edited={{ isRun: broadcast.repeatOf !== null, repeats: broadcast.repeat !== null }}
    >
      <ApiProblem problem={update.problem} />
      <Row gap={3} top>
        <LinkButton href={report}>{m.common.cancel}</LinkButton>
        <Button variant="primary" busy={update.busy} reason={reason} onClick={save}>
          {words.save}
        </Button>
      </Row>
    </BroadcastForm>
  );
}
