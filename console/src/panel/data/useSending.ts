import { useState } from "preact/hooks";
import {
  type ReturnMode,
  SubmitReturnDataDocument,
  type SubmitReturnDataMutation,
} from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import type { Problem } from "../../api/problem";
import { useAttempts } from "./attempt";
import { importRequest, type ListDraft, nameOfRequest, type Origin, submission } from "./listDraft";
import type { GivenOpenids } from "./openidList";
import type { ImportOutcome } from "./upload";
import { type UploadControl, useUpload } from "./useUpload";

type Submitted = NonNullable<SubmitReturnDataMutation["submitReturnData"]>;

export type Sent =
  | { readonly origin: "paste"; readonly answer: Submitted; readonly given: GivenOpenids }
  | { readonly origin: "file"; readonly outcome: Extract<ImportOutcome, { kind: "done" }> };

export interface Sending {
  readonly send: (draft: ListDraft, mode: ReturnMode, origin: Origin, given: GivenOpenids) => Promise<void>;
  readonly busy: boolean;
  readonly upload: UploadControl;
  /** What the API refused of a pasted list. */
  readonly problem: Problem | null;
  /** Headings among which the column of the openids must be chosen; empty while nobody asked. */
  readonly columns: readonly string[];
  /** What was sent last; null until there is something. */
  readonly sent: Sent | null;
  readonly startAnew: () => void;
  readonly forgetFile: () => void;
}

/** Sends lists, each request under a key of its own, so that one that is sent again is written once. */
export function useSending(channel: string): Sending {
  const attempts = useAttempts();
  const upload = useUpload();
  const { run, busy, problem } = useMutation(SubmitReturnDataDocument);
  const [sent, setSent] = useState<Sent | null>(null);
  const [columns, setColumns] = useState<readonly string[]>([]);
  const paste = async (draft: ListDraft, mode: ReturnMode, given: GivenOpenids) => {
    const input = submission(channel, draft, mode, given);
    const { data } = await run({
      input: { ...input, idempotencyKey: attempts.keyOf(JSON.stringify(input)) },
    });
    if (data?.submitReturnData) setSent({ origin: "paste", answer: data.submitReturnData, given });
  };
  const sendFile = async (draft: ListDraft, mode: "ADD" | "REMOVE", file: File) => {
    const request = importRequest(channel, draft, mode);
    const idempotencyKey = attempts.keyOf(nameOfRequest(request, file));
    const outcome = await upload.start({ ...request, idempotencyKey }, file);
    if (outcome.kind === "failed")
      setColumns((before) => (outcome.problem.columns.length ? outcome.problem.columns : before));
    if (outcome.kind === "done") setSent({ origin: "file", outcome });
  };
  return {
    send: async (draft, mode, origin, given) => {
      if (origin === "paste") await paste(draft, mode, given);
      else if (draft.file && mode !== "REPLACE") await sendFile(draft, mode, draft.file);
    },
    busy: busy || upload.state.kind === "sending",
    upload,
    problem,
    columns,
    sent,
    startAnew: () => {
      attempts.done();
      upload.reset();
      setSent(null);
    },
    forgetFile: () => {
      setColumns([]);
      upload.reset();
    },
  };
}
