import { useMemo } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { TagSizesDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount, formatInstant } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { EmptyState } from "../../ui/EmptyState";
import { Row } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { RadioGroup } from "../../ui/RadioGroup";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import { RANGES, type Range, type Size, startOf, summaryOf, withPresent } from "./ranges";
import { SizeChart } from "./SizeChart";
import styles from "./TagPage.module.css";

type SizesSectionProps = { tag: string; memberCount: number; living: boolean };

/** Shows how many people had a tag over time, as a picture or as a table. */
export function SizesSection({ tag, memberCount, living }: SizesSectionProps) {
  const m = useMessages();
  const [query, setQuery] = useSearchParams();
  const range = RANGES.find((each) => each === query.get("range")) ?? "day";
  const view = query.get("sizes") === "table" ? "table" : "chart";
  const choose = (key: string, value: string) =>
    setQuery(
      (now) => {
        const written = new URLSearchParams(now);
        written.set(key, value);
        return written;
      },
      { replace: true },
    );
  const since = useMemo(() => startOf(range, Date.now()), [range]);
  const { data, problem, again } = useQuery(
    TagSizesDocument,
    { tag, since },
    living ? {} : { policy: "cache-first" },
  );
  const read = data?.node && "sizeHistory" in data.node ? data.node.sizeHistory : undefined;
  const sizes = useMemo(
    () => read && (living ? withPresent(read, memberCount, new Date().toISOString()) : read),
    [read, living, memberCount],
  );
  return (
    <Section
      card
      title={m.tags.sizes}
      actions={
        <Row gap={4}>
          <RadioGroup<Range>
            inline
            hideLabel
            label={m.tags.range}
            value={range}
            choices={RANGES.map((each) => ({ value: each, label: m.tags.ranges[each] }))}
            onChange={(to) => choose("range", to)}
          />
          <RadioGroup<"chart" | "table">
            inline
            hideLabel
            label={m.tags.view}
            value={view}
            choices={[
              { value: "chart", label: m.tags.asChart },
              { value: "table", label: m.tags.asTable },
            ]}
            onChange={(to) => choose("sizes", to)}
          />
        </Row>
      }
    >
      <ApiProblem problem={problem} again={again} />
      {!sizes && !problem && <Loading label={m.common.loading} shape="cards" count={1} />}
      {sizes && <Sizes sizes={sizes} asTable={view === "table"} />}
    </Section>
  );
}

function Sizes({ sizes, asTable }: { sizes: readonly Size[]; asTable: boolean }) {
  const m = useMessages();
  const summary = summaryOf(sizes);
  if (!summary) return <EmptyState title={m.tags.noSizes}>{m.tags.noSizesHint}</EmptyState>;
  const { first, last, low, high } = summary;
  const label = m.tags.chartLabel(formatCount(first), formatCount(last), formatCount(low), formatCount(high));
  if (!asTable) return <SizeChart sizes={sizes} label={label} />;
  return (
    <>
      <p>{label}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
      <section class={styles.scrolls} tabIndex={0} aria-label={m.tags.sizes}>
        <Table
          caption={m.tags.sizes}
          rows={[...sizes].reverse()}
          rowKey={({ at }) => at}
          columns={[
            { key: "at", header: m.tags.when, cell: ({ at }) => formatInstant(at), primary: true },
            {
              key: "count",
              header: m.tags.facts.people,
              cell: (size) => formatCount(size.memberCount),
              align: "end",
            },
          ]}
        />
      </section>
    </>
  );
}
