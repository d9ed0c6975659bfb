import { useMemo, useState } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { TagFlowDocument, type TagFlowQuery } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { formatCount, formatInstant } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { RefreshIcon } from "../../ui/icons";
import { Row, Stack } from "../../ui/Layout";
import { RadioGroup } from "../../ui/RadioGroup";
import { Reason } from "../../ui/Reason";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { earliestOf } from "../looking/instants";
import { type Messages, useMessages } from "../looking/messages";
import { FLOW_SPANS, type FlowSpan, flowStart } from "./flow";

type Flow = NonNullable<Extract<NonNullable<TagFlowQuery["node"]>, { flow: unknown }>["flow"]>;

interface FlowSectionProps {
  readonly tag: string;
  /** How many have it by the newest count: another number than before has the flow read again when asked. */
  readonly memberCount: number;
}

/** Says how many people came to a tag and left it since some time, and why. */
export default function FlowSection({ tag, memberCount }: FlowSectionProps) {
  const m = useMessages().flow;
  const [query, setQuery] = useSearchParams();
  const span = FLOW_SPANS.find((each) => each === query.get("flow")) ?? "day";
  const choose = (to: FlowSpan) =>
    setQuery(
      (now) => {
        const written = new URLSearchParams(now);
        written.set("flow", to);
        return written;
      },
      { replace: true },
    );
  return (
    <Section
      card
      title={m.heading}
      actions={
        <RadioGroup<FlowSpan>
          inline
          hideLabel
          label={m.span}
          value={span}
          choices={FLOW_SPANS.map((value) => ({ value, label: m.spans[value] }))}
          onChange={choose}
        />
      }
    >
      <Counted key={span} tag={tag} span={span} memberCount={memberCount} />
    </Section>
  );
}

/** Counts since the beginning of a span, or since the earliest instant that is known. */
function Counted({ tag, span, memberCount }: FlowSectionProps & { span: FlowSpan }) {
  const m = useMessages().flow;
  const [begun, setBegun] = useState({ at: Date.now(), memberCount });
  const since = useMemo(() => flowStart(span, begun.at), [span, begun]);
  const whole = useQuery(TagFlowDocument, { tag, since });
  const earliest = earliestOf(whole.problem);
  const known = useQuery(TagFlowDocument, { tag, since: earliest ?? since }, { pause: earliest === null });
  return (
    <Stack gap={3}>
      {earliest !== null && <Reason>{m.shortened(formatInstant(earliest))}</Reason>}
      <Answer asked={earliest === null ? whole : known}>
        {({ node }) =>
          node && "flow" in node && (node.flow ? <FlowFacts flow={node.flow} /> : <Reason>{m.closed}</Reason>)
        }
      </Answer>
      {begun.memberCount !== memberCount && (
        <Row>
          <Button
            size="small"
            icon={<RefreshIcon size={14} />}
            onClick={() => setBegun({ at: Date.now(), memberCount })}
          >
            {m.again}
          </Button>
        </Row>
      )}
    </Stack>
  );
}

function FlowFacts({ flow }: { flow: Flow }) {
  const m = useMessages();
  const words = m.flow;
  const isNothing = flow.entered === 0 && flow.left === 0;
  return (
    <>
      <p>{isNothing ? words.nothing(formatInstant(flow.since)) : sentenceOf(flow, words)}</p>
      {!isNothing && (
        <Table
          caption={words.byCause}
          rows={flow.byCause}
          rowKey={({ cause }) => cause}
          columns={[
            {
              key: "cause",
              header: words.cause,
              primary: true,
              // Further causes may be added to the API.
              cell: ({ cause }) => words.causes[cause] ?? cause,
            },
            { key: "came", header: words.came, align: "end", cell: ({ entered }) => formatCount(entered) },
            { key: "left", header: words.went, align: "end", cell: ({ left }) => formatCount(left) },
          ]}
        />
      )}
      <p>
        <small>
          {words.until} <Time at={flow.until} absolute />. {words.twice}
        </small>
      </p>
    </>
  );
}

function sentenceOf({ since, entered, left }: Flow, words: Messages["flow"]): string {
  const by = entered - left;
  const change = by > 0 ? words.more(formatCount(by)) : by < 0 ? words.fewer(formatCount(-by)) : words.same;
  return words.sentence(
    formatInstant(since),
    words.entered(formatCount(entered)),
    words.left(formatCount(left)),
    change,
  );
}
