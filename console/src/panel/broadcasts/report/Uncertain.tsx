import { useState } from "preact/hooks";
import { UncertainPeopleDocument } from "../../../api/generated/graphql";
import { useFetch } from "../../../api/hooks";
import { Button } from "../../../ui/Button";
import { Section } from "../../../ui/Section";
import { useMessages } from "../messages";
import { type LoadPeople, PeopleDrawer } from "../parts/PeopleDrawer";
import { peopleWord } from "../parts/words";
import type { Report } from "./parts";

const PAGE = 50;

/** Names the people of whom no answer says whether they were sent to; nothing where there is nobody. */
export function Uncertain({ channel, report }: { channel: string; report: Report }) {
  const m = useMessages();
  const words = m.broadcasts.report;
  const [opened, setOpened] = useState(false);
  const fetchPeople = useFetch(UncertainPeopleDocument);
  // While a call is under way its people are uncertain for a moment, which is nothing to look at.
  if (report.uncertain === 0 || report.state === "RUNNING") return null;
  const load: LoadPeople = async (after) => {
    const { data, problem } = await fetchPeople({ id: report.id, first: PAGE, after });
    return { page: data?.broadcast?.uncertainUsers ?? null, problem };
  };
  const people = peopleWord(m, report.uncertain);
  return (
    <Section
      card
      title={words.uncertain}
      description={words.uncertainHint}
      actions={<Button onClick={() => setOpened(true)}>{words.showPeople(people)}</Button>}
    >
      {opened && (
        <PeopleDrawer
          channel={channel}
          title={words.uncertain}
          load={load}
          onClose={() => setOpened(false)}
        />
      )}
    </Section>
  );
}
