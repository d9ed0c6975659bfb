import { useState } from "preact/hooks";
import {
  HeldPeopleDocument,
  type HeldReason,
  UnsendablePeopleDocument,
} from "../../../api/generated/graphql";
import { useFetch } from "../../../api/hooks";
import { Grid } from "../../../ui/Layout";
import { Section } from "../../../ui/Section";
import { useMessages } from "../messages";
import { type LoadPeople, PeopleDrawer } from "../parts/PeopleDrawer";
import { ReasonList } from "../parts/ReasonList";
import { heldWord } from "../parts/words";
import type { Report } from "./parts";

const PAGE = 50;
type Opened = { readonly side: "held" | "unsendable"; readonly reason: HeldReason };

/** Lists who is not sent to, by reason, with the people; nothing where everybody is. */
export function HeldBack({ channel, report }: { channel: string; report: Report }) {
  const m = useMessages();
  const words = m.broadcasts.report;
  const [opened, setOpened] = useState<Opened | null>(null);
  const fetchHeld = useFetch(HeldPeopleDocument);
  const fetchUnsendable = useFetch(UnsendablePeopleDocument);
  if (report.held.length + report.unsendable.length === 0) return null;
  const load: LoadPeople = async (after) => {
    const variables = { id: report.id, first: PAGE, after };
    const isOpened = ({ reason }: { reason: HeldReason }) => reason === opened?.reason;
    if (opened?.side === "held") {
      const { data, problem } = await fetchHeld(variables);
      return { page: data?.broadcast?.held.find(isOpened)?.users ?? null, problem };
    }
    const { data, problem } = await fetchUnsendable(variables);
    return { page: data?.broadcast?.unsendable.find(isOpened)?.users ?? null, problem };
  };
  return (
    <Grid>
      {(["held", "unsendable"] as const).map(
        (side) =>
          report[side].length > 0 && (
            <Section key={side} card title={side === "held" ? words.heldHeading : words.unsendableHeading}>
              <ReasonList groups={report[side]} onOpen={(reason) => setOpened({ side, reason })} />
            </Section>
          ),
      )}
      {opened && (
        <PeopleDrawer
          channel={channel}
          title={words.showPeople(heldWord(m, opened.reason))}
          load={load}
          onClose={() => setOpened(null)}
        />
      )}
    </Grid>
  );
}
