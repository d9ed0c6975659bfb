import type { Problem as ApiError } from "../../api/problem";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount, formatSize } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { Progress } from "../../ui/Progress";
import type { ImportProblem } from "./upload";
import type { UploadControl } from "./useUpload";

/** Says how far a file is, and what went wrong with it or with a pasted list. */
export function UploadStatus({ upload, problem }: { upload: UploadControl; problem: ApiError | null }) {
  const m = useMessages();
  const { state, cancel } = upload;
  if (state.kind === "sending") {
    const { file, sent } = state;
    const whole = sent >= file.size;
    const detail = whole ? m.data.finishing : m.data.progress(formatSize(sent), formatSize(file.size));
    return (
      <div>
        <Progress
          label={m.data.uploading(file.name)}
          {...(!whole && { value: sent, max: file.size })}
          detail={detail}
        />
        <Row>
          <Button onClick={cancel}>{m.data.cancel}</Button>
        </Row>
      </div>
    );
  }
  if (state.kind === "cancelled") {
    return (
      <Problem tone="caution" title={m.data.cancelledTitle}>
        {m.data.cancelledHint}
      </Problem>
    );
  }
  if (state.kind === "failed") return <UploadProblem problem={state.problem} />;
  return <ApiProblem problem={problem} />;
}

function UploadProblem({ problem }: { problem: ImportProblem }) {
  const m = useMessages();
  const { code, message, fields, requestId, summary } = problem;
  const title = m.data.failedTitle[code] ?? (m.problems as Record<string, unknown>)[code];
  const details =
    fields.length > 0 ? fields.map((field) => m.fields.text(field.code, field.message)) : [message];
  return (
    <Problem title={String(title)}>
      {m.data.failedHint[code] ? <p>{m.data.failedHint[code]}</p> : <p>{details.join(" ")}</p>}
      {summary !== null && summary.rows > 0 && <p>{m.data.writtenBefore(formatCount(summary.rows))}</p>}
      {requestId !== null && <p>{m.problems.requestId(requestId)}</p>}
    </Problem>
  );
}
