import type { ComponentChildren } from "preact";
import { Link } from "wouter-preact";
import { formatCount } from "../../../i18n/format";
import { Fact, Facts } from "../../../ui/Layout";
import { Section } from "../../../ui/Section";
import { Time } from "../../../ui/Time";
import { fromSaved } from "../../expressions/conversion";
import { toQueryString } from "../../expressions/queryString";
import { AudienceText } from "../form/AudienceText";
import { useMessages } from "../messages";
import { MessagePreview } from "../parts/MessagePreview";
import { paths } from "../parts/paths";
import { peopleWord, repeatWord } from "../parts/words";
import type { Report } from "./parts";

/** Tells what is sent to whom, by whom and when. */
export function About({ channel, report }: { channel: string; report: Report }) {
  const m = useMessages();
  const words = m.broadcasts.report;
  const { content } = report;
  return (
    <Section card title={words.about}>
      <Facts>
        <Fact label={words.audience}>
          <AudienceText audience={toQueryString(fromSaved(report.audience.flat))} />
        </Fact>
        <Fact label={words.madeBy}>{report.createdBy}</Fact>
        {report.approvedBy && (
          <Fact label={words.approval}>
            {words.approvedBy(report.approvedBy)}
            {report.approvedFor !== null && `, ${words.approvedFor(peopleWord(m, report.approvedFor))}`}
            {report.approvedAt && (
              <>
                {" · "}
                <Time at={report.approvedAt} />
              </>
            )}
          </Fact>
        )}
        <Moment label={words.start} at={report.startAt} />
        <Moment label={words.ended} at={report.finishedAt} />
        {report.holdOutPercent > 0 && (
          <Fact label={words.holdOut}>{formatCount(report.holdOutPercent)} %</Fact>
        )}
        {report.repeat && <Fact label={words.repeats}>{repeatWord(m, report.repeat)}</Fact>}
        <Moment label={words.nextRun} at={report.nextRunAt} />
        {report.repeatOf && (
          <Fact label={words.seriesOf}>
            <Link href={paths.report(channel, report.repeatOf.id)}>
              {report.repeatOf.name ?? words.seriesOf}
            </Link>
          </Fact>
        )}
      </Facts>
      <MessagePreview
        message={{
          kind: report.kind,
          text: content.text ?? "",
          mediaIds: content.mediaIds,
          fields: content.data,
          opens: content.url ?? content.page ?? "",
        }}
      />
    </Section>
  );
}

function Moment({ label, at }: { label: ComponentChildren; at: string | null | undefined }) {
  if (!at) return null;
  return (
    <Fact label={label}>
      <Time at={at} absolute />
    </Fact>
  );
}
