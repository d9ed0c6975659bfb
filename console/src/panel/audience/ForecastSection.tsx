import { useMemo } from "preact/hooks";
import { AudienceForecastDocument, type TagExpressionInput } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can } from "../../app/viewer";
import { formatCount, formatShare } from "../../i18n/format";
import { Button, LinkButton } from "../../ui/Button";
import { ClockIcon, SendIcon } from "../../ui/icons";
import { Row, Stack } from "../../ui/Layout";
import { RadioGroup } from "../../ui/RadioGroup";
import { Reason } from "../../ui/Reason";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import { toQueryString } from "../expressions/queryString";
import type { Tree } from "../expressions/tree";
import { useSettled } from "../expressions/useSettled";
import { useMessages } from "../looking/messages";
import { FallingChart } from "./FallingChart";
import styles from "./Forecast.module.css";
import { beginOf, type Outlook, outlookOf, type Reached, SPANS, type Span } from "./forecast";
import { formatHour, outlookText } from "./forecastWords";

/** So long an expression stays as it is before it is asked for again, in milliseconds. */
const PAUSE = 800;

interface ForecastSectionProps {
  readonly channel: string;
  readonly tree: Tree;
  readonly expression: TagExpressionInput;
  /** How many hours ahead, as the address has it; null while nobody asks. */
  readonly hours: string | null;
  readonly onHours: (hours: Span | null) => void;
}

/** Shows, when asked, how many people of an audience can still be reached as time goes by. */
export default function ForecastSection({ channel, tree, expression, hours, onHours }: ForecastSectionProps) {
  const m = useMessages().forecast;
  const span = hours === null ? null : (SPANS.find((each) => each === hours) ?? "48");
  return (
    <Section
      card
      title={m.heading}
      description={m.description}
      actions={
        span === null ? (
          <Button icon={<ClockIcon />} onClick={() => onHours("48")}>
            {m.ask}
          </Button>
        ) : (
          <Button size="small" variant="quiet" onClick={() => onHours(null)}>
            {m.close}
          </Button>
        )
      }
    >
      {span !== null && (
        <Stack gap={4}>
          <RadioGroup<Span>
            inline
            label={m.span}
            value={span}
            choices={SPANS.map((value) => ({ value, label: m.spans[value] }))}
            onChange={onHours}
          />
          <Asked channel={channel} tree={tree} expression={expression} hours={Number(span)} />
        </Stack>
      )}
    </Section>
  );
}

interface AskedProps extends Pick<ForecastSectionProps, "channel" | "tree" | "expression"> {
  readonly hours: number;
}

function Asked({ channel, tree, expression, hours }: AskedProps) {
  const m = useMessages().forecast;
  const settled = useSettled(JSON.stringify(expression), PAUSE);
  const variables = useMemo(
    () => ({ channel, expression: JSON.parse(settled) as TagExpressionInput, hours }),
    [channel, settled, hours],
  );
  const asked = useQuery(AudienceForecastDocument, variables, { policy: "cache-and-network" });
  return (
    <Answer asked={asked}>
      {({ audience }) => {
        if (!audience) return null;
        const outlook = outlookOf(audience.touchableForecast, audience.touchable);
        if (audience.touchable === 0 || !outlook) return <p>{m.nobody}</p>;
        return (
          <Forecast
            channel={channel}
            tree={tree}
            outlook={outlook}
            hours={audience.touchableForecast}
            now={audience.touchable}
          />
        );
      }}
    </Answer>
  );
}

interface ForecastProps extends Pick<ForecastSectionProps, "channel" | "tree"> {
  readonly outlook: Outlook;
  readonly hours: readonly Reached[];
  readonly now: number;
}

function Forecast({ channel, tree, outlook, hours, now }: ForecastProps) {
  const m = useMessages().forecast;
  const text = outlookText(outlook, now, m);
  const begin = beginOf(outlook);
  const query = new URLSearchParams({ expression: toQueryString(tree), ...(begin && { start: begin }) });
  return (
    <>
      <p class={styles.sentence} role="status">
        {text}
      </p>
      <FallingChart hours={hours} now={now} label={text} />
      <details class={styles.table}>
        <summary>{m.table}</summary>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keys */}
        <section class={styles.scrolls} tabIndex={0} aria-label={m.table}>
          <Table
            caption={m.table}
            rows={hours}
            rowKey={({ at }) => at}
            columns={[
              { key: "at", header: m.at, primary: true, cell: ({ at }) => formatHour(at) },
              { key: "count", header: m.count, align: "end", cell: ({ count }) => formatCount(count) },
              { key: "share", header: m.share, align: "end", cell: ({ count }) => formatShare(count / now) },
            ]}
          />
        </section>
      </details>
      {can("BROADCAST") ? (
        <Row>
          <LinkButton
            icon={<SendIcon />}
            href={`/channels/${encodeURIComponent(channel)}/broadcasts/new?${query}`}
          >
            {begin ? m.plan : m.planNow}
          </LinkButton>
        </Row>
      ) : (
        <Reason>{m.planNotYours}</Reason>
      )}
    </>
  );
}
