import type { ComponentChildren } from "preact";
import type { Problem as ApiError } from "../api/problem";
import { useMessages } from "../i18n/messages";
import { Button } from "../ui/Button";
import { Problem } from "../ui/Problem";

/** Codes whose message says more than the code does: which limit, which input, what WeChat said. */
const TELLING = ["BAD_USER_INPUT", "LIMIT_EXCEEDED", "CONFLICT", "TAG_NOT_USABLE", "UPSTREAM"];

type ApiProblemProps = {
  problem: ApiError | null;
  /** Offers to try it again. */
  again?: (() => void) | undefined;
  /** Takes the place of what is said of the code, where the page knows better. */
  title?: ComponentChildren;
};

/** Says what went wrong with something that was asked of the service, and what to do; nothing while all is well. */
export function ApiProblem({ problem, again, title }: ApiProblemProps) {
  const m = useMessages();
  if (!problem) return null;
  const { code, message, retryAfter, requestId, errcode } = problem;
  const more = [
    TELLING.includes(code) ? message : "",
    errcode === null ? "" : m.problems.errcode(errcode),
    retryAfter === null ? "" : m.problems.retryAfter(retryAfter),
    code === "INTERNAL" && requestId ? m.problems.requestId(requestId) : "",
  ].filter(Boolean);
  return (
    <Problem
      title={title ?? m.problems[code]}
      action={
        again && (
          <Button size="small" onClick={again}>
            {m.common.retry}
          </Button>
        )
      }
    >
      {more.length > 0 && more.join(" ")}
    </Problem>
  );
}
