import { Section } from "../../../ui/Section";
import { BroadcastTable } from "../list/BroadcastTable";
import { useMessages } from "../messages";
import type { Report } from "./parts";

/** Lists the runs of a series; nothing for what is none. */
export function Runs({ channel, report }: { channel: string; report: Report }) {
  const m = useMessages();
  const words = m.broadcasts.report;
  if (!report.repeat) return null;
  const { nodes } = report.runs;
  return (
    <Section card title={words.runs} description={words.runsHint}>
      {nodes.length > 0 ? <BroadcastTable channel={channel} rows={nodes} /> : <p>{words.noRuns}</p>}
    </Section>
  );
}
