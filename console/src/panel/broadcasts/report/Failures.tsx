import { useState } from "preact/hooks";
import { FailedPeopleDocument } from "../../../api/generated/graphql";
import { useFetch } from "../../../api/hooks";
import { formatCount } from "../../../i18n/format";
import { Button } from "../../../ui/Button";
import { Section } from "../../../ui/Section";
import { Table } from "../../../ui/Table";
import { useMessages } from "../messages";
import { type LoadPeople, PeopleDrawer } from "../parts/PeopleDrawer";
import type { Report } from "./parts";

type Failure = Report["failures"][number];
const PAGE = 50;

/** Lists why WeChat refused, by its code, with who that was; nothing where nobody was refused. */
export function Failures({ channel, report }: { channel: string; report: Report }) {
  const m = useMessages();
  const words = m.broadcasts.report;
  const [opened, setOpened] = useState<Failure | null>(null);
  const fetchPeople = useFetch(FailedPeopleDocument);
  if (report.failures.length === 0) return null;
  const load: LoadPeople = async (after) => {
    const { data, problem } = await fetchPeople({ id: report.id, first: PAGE, after });
    const found = data?.broadcast?.failures.find((each) => keyOf(each) === (opened && keyOf(opened)));
    return { page: found?.users ?? null, problem };
  };
  return (
    <Section card title={words.failures} description={words.failuresHint}>
      <Table
        caption={words.failures}
        rows={report.failures}
        rowKey={keyOf}
        columns={[
          { key: "code", header: words.code, primary: true, cell: (row) => row.errcode ?? words.noCode },
          { key: "reason", header: words.reason, cell: (row) => <span lang="en">{row.reason}</span> },
          { key: "passes", header: words.retryable, cell: (row) => (row.retryable ? words.yes : words.no) },
          { key: "count", header: words.count, align: "end", cell: (row) => formatCount(row.count) },
          {
            key: "who",
            header: words.show,
            hideHeader: true,
            narrow: true,
            cell: (row) => (
              <Button
                size="small"
                label={words.showPeople(String(row.errcode ?? row.reason))}
                onClick={() => setOpened(row)}
              >
                {words.show}
              </Button>
            ),
          },
        ]}
      />
      {opened && (
        <PeopleDrawer
          channel={channel}
          title={`${words.code} ${opened.errcode ?? words.noCode}`}
          load={load}
          onClose={() => setOpened(null)}
        />
      )}
    </Section>
  );
}

function keyOf({ errcode, reason }: Pick<Failure, "errcode" | "reason">): string {
  return `${errcode ?? ""} ${reason}`;
}
