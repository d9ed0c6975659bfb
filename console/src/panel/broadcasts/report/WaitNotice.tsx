import { Problem } from "../../../ui/Problem";
import { Time } from "../../../ui/Time";
import { QueuedLong } from "../../jobs/QueuedLong";
import { useMessages } from "../messages";
import { waitWords } from "../parts/words";
import type { Report } from "./parts";

const MINDED = ["PAUSED", "WAITING_FOR_APPROVAL"];

/** Says what the broadcast waits for, until when, and what to do; or why it failed. */
export function WaitNotice({ report }: { report: Report }) {
  const m = useMessages();
  const { state, waitingFor, resumesAt, error, errorCode } = report;
  const said = error && (
    <p>
      {m.broadcasts.report.said}: <q lang="en">{error}</q>
    </p>
  );
  if (!waitingFor) {
    if (!error) return <QueuedLong job={{ state, createdAt: report.startAt ?? report.createdAt }} />;
    const title = errorCode ? m.problems[errorCode] : m.broadcasts.states[state];
    return (
      <Problem tone={state === "FAILED" ? "negative" : "informative"} title={title}>
        {said}
      </Problem>
    );
  }
  const { what, todo } = waitWords(m, waitingFor);
  const until = waitingFor === "START_TIME" ? report.startAt : resumesAt;
  const isForSomebody = MINDED.includes(state) || waitingFor === "CONFIGURATION";
  return (
    <Problem tone={isForSomebody ? "caution" : "informative"} title={what}>
      {until && state === "WAITING" && (
        <p>
          {m.broadcasts.report.goesOn} <Time at={until} /> (<Time at={until} absolute />)
        </p>
      )}
      {todo && <p>{todo}</p>}
      {said}
    </Problem>
  );
}
