import { useEffect, useState } from "preact/hooks";
import { Link, useLocation, useSearchParams } from "wouter-preact";
import {
  BroadcastFormDocument,
  BroadcastToEditDocument,
  type BroadcastToEditQuery,
  CreateBroadcastDocument,
} from "../../../api/generated/graphql";
import { useMutation, useQuery } from "../../../api/hooks";
import type { Problem } from "../../../api/problem";
import { Answer } from "../../../app/Answer";
import { ApiProblem } from "../../../app/ApiProblem";
import { Button } from "../../../ui/Button";
import { Row, Stack } from "../../../ui/Layout";
import { PageHeader } from "../../../ui/Section";
import { type Messages, useMessages } from "../messages";
import { Guarded } from "../parts/Guarded";
import { paths } from "../parts/paths";
import { useFieldErrors } from "../parts/useFieldErrors";
import { peopleWord } from "../parts/words";
import { BroadcastForm } from "./BroadcastForm";
import { type Draft, newDraft, newKey } from "./draft";
import { draftName } from "./draftStore";
import { copyOf } from "./fromBroadcast";
import { createOf, startFrom } from "./inputs";
import type { FormChannel } from "./KindField";
import { Review, sendWord } from "./Review";
import { TestMessage } from "./TestMessage";
import { useDraft } from "./useDraft";
import { type Previewed, usePreview, wouldGetIt } from "./usePreview";

export default function NewBroadcastPage({ params }: { params: Record<string, string> }) {
  return (
    <Guarded>
      <Asked channel={params.channel ?? ""} />
    </Guarded>
  );
}

type Template = BroadcastToEditQuery["broadcast"];

function Asked({ channel }: { channel: string }) {
  const m = useMessages();
  const [search] = useSearchParams();
  const from = search.get("from");
  const asked = useQuery(BroadcastFormDocument, { channel });
  const copied = useQuery(BroadcastToEditDocument, { id: from ?? "" }, { pause: from === null });
  const above = (
    <>
      <Link href={paths.list(channel)}>{m.broadcasts.heading}</Link> · {asked.data?.channel?.name}
    </>
  );
  return (
    <Stack gap={5}>
      <PageHeader above={above} title={m.broadcasts.compose.heading} />
      <Answer asked={asked}>
        {(data) =>
          data.channel &&
          (from === null ? (
            <Compose key="new" channel={data.channel} from={null} />
          ) : (
            <Answer asked={copied}>
              {({ broadcast }) =>
                data.channel && <Compose key={from} channel={data.channel} from={broadcast} />
              }
            </Answer>
          ))
        }
      </Answer>
    </Stack>
  );
}

function Compose({ channel, from }: { channel: FormChannel; from: Template }) {
  const m = useMessages();
  const words = m.broadcasts.compose;
  const [search, setSearch] = useSearchParams();
  const [, navigate] = useLocation();
  const editing = useDraft(draftName(channel.id, from?.id ?? null), () => (from ? copyOf(from) : newDraft()));
  const { draft, change } = editing;
  useAudienceOfAddress(change);
  const previewed = usePreview(draft, channel.id);
  const create = useMutation(CreateBroadcastDocument);
  const [testProblem, setTestProblem] = useState<Problem | null>(null);
  const errorAt = useFieldErrors(create.problem, testProblem, previewed.problem);
  const { preview } = previewed;
  const step = (to: "review" | null) =>
    setSearch((query) => {
      const next = new URLSearchParams(query);
      if (to) next.set("step", to);
      else next.delete("step");
      return next;
    });
  const send = async () => {
    const input = createOf(draft, channel.id);
    if (!input) return;
    const { data, problem } = await create.run({ input });
    if (problem?.fields.length) step(null);
    const made = data?.createBroadcast?.broadcast;
    if (!made) return;
    editing.forget();
    navigate(paths.report(channel.id, made.id), { replace: true });
  };
  const keyTaken = create.problem?.code === "CONFLICT";
  const refusal = (
    <>
      <ApiProblem problem={create.problem} title={keyTaken ? words.keyTaken : undefined} />
      {keyTaken && (
        <div>
          <Button onClick={() => change({ key: newKey() })}>{words.asNew}</Button>
        </div>
      )}
    </>
  );
  if (search.get("step") === "review" && preview) {
    return (
      <Review draft={draft} preview={preview}>
        {refusal}
        <Row gap={2} top>
          <Button onClick={() => step(null)}>{words.back}</Button>
          <Button variant="primary" busy={create.busy} reason={reasonNotToSend(m, previewed)} onClick={send}>
            {sendWord(m, draft, preview)}
          </Button>
        </Row>
      </Review>
    );
  }
  return (
    <BroadcastForm
      channel={channel}
      errorAt={errorAt}
      problem={create.problem ?? previewed.problem}
      previewed={previewed}
      edited={null}
      editing={editing}
      aside={
        <TestMessage
          channel={channel.id}
          draft={draft}
          errorAt={errorAt}
          change={change}
          onProblem={setTestProblem}
        />
      }
    >
      {refusal}
      <Row gap={3} top>
        <Button variant="primary" reason={preview ? null : words.reviewReason} onClick={() => step("review")}>
          {preview ? `${words.review}: ${peopleWord(m, wouldGetIt(preview))}` : words.review}
        </Button>
      </Row>
    </BroadcastForm>
  );
}

/** Returns why it cannot be sent as it is; never while another number than the one on the button may be right. */
function reasonNotToSend(m: Messages, { preview, counting }: Previewed): string | null {
  if (counting || !preview) return m.broadcasts.preview.counting;
  return wouldGetIt(preview) === 0 ? m.broadcasts.preview.nobody : null;
}

/** Takes the audience and the start that a link names into the form, once, and out of the address: what is typed later counts. */
function useAudienceOfAddress(change: (change: Partial<Draft>) => void): void {
  const [search, setSearch] = useSearchParams();
  const expression = search.get("expression");
  const start = search.get("start");
  useEffect(() => {
    if (expression === null) return;
    change({ audience: expression, ...startFrom(start, Date.now()) });
    setSearch(
      (query) => {
        const next = new URLSearchParams(query);
        next.delete("expression");
        next.delete("start");
        return next;
      },
      { replace: true },
    );
  }, [expression, start, change, setSearch]);
}
