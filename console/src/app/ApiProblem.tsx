import type { Problem as Refusal } from "../api/problem";
import { useMessages } from "../i18n/messages";
import { Button } from "../ui/Button";
import { Problem } from "../ui/Problem";

/** Says in words what the API answered instead of doing what it was asked for, and offers to try again where that may help. */
export function ApiProblem({ problem, again }: { problem: Refusal | null; again?: () => void }) {
  const m = useMessages();
  if (!problem) return null;
  const { code, message, fields, retryAfter, requestId, errcode } = problem;
  // The service says more exactly what was wrong, if only in English.
  const details = fields.length ? fields.map((field) => field.message) : message ? [message] : [];
  return (
    <Problem title={m.problems[code]} action={again && <Button onClick={again}>{m.common.retry}</Button>}>
      {code !== "UNREACHABLE" && code !== "INTERNAL" && details.map((text) => <p key={text}>{text}</p>)}
      {errcode !== null && <p>{m.problems.errcode(errcode)}</p>}
      {retryAfter !== null && <p>{m.problems.retryAfter(retryAfter)}</p>}
      {requestId !== null && <p>{m.problems.requestId(requestId)}</p>}
    </Problem>
  );
}
