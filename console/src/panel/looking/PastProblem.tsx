import type { Problem as ApiError } from "../../api/problem";
import { ApiProblem } from "../../app/ApiProblem";
import { formatInstant } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { Problem } from "../../ui/Problem";
import { earliestOf } from "./instants";
import { useMessages } from "./messages";

interface PastProblemProps {
  readonly problem: ApiError | null;
  readonly again: () => void;
  readonly onEarliest: (instant: string) => void;
}

/** Says what went wrong with a question about the past; of an instant that is too early, which one is the earliest. */
export function PastProblem({ problem, again, onEarliest }: PastProblemProps) {
  const m = useMessages().past;
  const earliest = earliestOf(problem);
  if (earliest === null) return <ApiProblem problem={problem} again={again} />;
  return (
    <Problem
      title={m.tooEarly}
      action={
        <Button size="small" onClick={() => onEarliest(earliest)}>
          {m.fromEarliest}
        </Button>
      }
    >
      {m.earliest(formatInstant(earliest))}
    </Problem>
  );
}
