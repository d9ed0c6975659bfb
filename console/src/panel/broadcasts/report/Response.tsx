import { BroadcastResponseDocument } from "../../../api/generated/graphql";
import { useQuery } from "../../../api/hooks";
import { Answer } from "../../../app/Answer";
import { formatCount, formatShare } from "../../../i18n/format";
import { Button } from "../../../ui/Button";
import { RefreshIcon } from "../../../ui/icons";
import { Section } from "../../../ui/Section";
import { type Column, Table } from "../../../ui/Table";
import { useMessages } from "../messages";
import type { Report } from "./parts";
import { ResponseChart } from "./ResponseChart";
import { pointsOf, type ResponsePoint, reached, share } from "./responseSeries";

/** Tells what people did after their message, hour by hour, beside those who were held out. */
export function Response({ report }: { report: Report }) {
  const m = useMessages();
  const words = m.broadcasts.report;
  const asked = useQuery(BroadcastResponseDocument, { id: report.id });
  return (
    <Section
      card
      title={words.response}
      description={words.responseHint}
      actions={
        <Button size="small" icon={<RefreshIcon />} busy={asked.fetching} onClick={asked.again}>
          {words.refresh}
        </Button>
      }
    >
      <Answer asked={asked}>
        {({ broadcast }) => (
          <Numbers points={reached(pointsOf(broadcast), report.startedAt ?? report.startAt, Date.now())} />
        )}
      </Answer>
    </Section>
  );
}

function Numbers({ points }: { points: readonly ResponsePoint[] }) {
  const m = useMessages();
  const words = m.broadcasts.report;
  const last = points.at(-1);
  if (!last) return null;
  const compared = last.heldOut > 0;
  const wrote = formatShare(share(last.sentMessaged, last.sent));
  const column = (
    key: string,
    header: string,
    count: (point: ResponsePoint) => number,
    all: (point: ResponsePoint) => number,
  ): Column<ResponsePoint> => ({
    key,
    header,
    align: "end",
    cell: (point) => `${formatCount(count(point))} (${formatShare(share(count(point), all(point)))})`,
  });
  const heldOut = compared
    ? [
        column(
          "wroteHeldOut",
          words.wroteHeldOut,
          (p) => p.heldOutMessaged,
          (p) => p.heldOut,
        ),
        column(
          "unfollowedHeldOut",
          words.unfollowedHeldOut,
          (p) => p.heldOutUnfollowed,
          (p) => p.heldOut,
        ),
      ]
    : [];
  return (
    <>
      <p>
        {compared
          ? words.comparison(
              words.hours(formatCount(last.hours)),
              wrote,
              formatShare(share(last.heldOutMessaged, last.heldOut)),
            )
          : `${words.answered(words.hours(formatCount(last.hours)), wrote)} ${words.noHoldOut}`}
      </p>
      {points.length > 1 && <ResponseChart points={points} />}
      <Table
        caption={words.response}
        rows={points}
        rowKey={({ hours }) => String(hours)}
        columns={[
          {
            key: "hours",
            header: words.responseHours,
            primary: true,
            cell: ({ hours }) => words.hours(formatCount(hours)),
          },
          column(
            "wroteSent",
            words.wroteSent,
            (p) => p.sentMessaged,
            (p) => p.sent,
          ),
          column(
            "unfollowedSent",
            words.unfollowedSent,
            (p) => p.sentUnfollowed,
            (p) => p.sent,
          ),
          ...heldOut,
        ]}
      />
    </>
  );
}
