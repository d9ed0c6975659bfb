import { Count } from "../../../ui/Count";
import { Section } from "../../../ui/Section";
import { useMessages } from "../messages";
import { peopleWord } from "../parts/words";
import styles from "./PeopleBar.module.css";
import { countsOf, PARTS, type Part, type Report } from "./parts";

/** Shows in which part everybody of the audience is, as one bar and as numbers that move while it is being sent. */
export function PeopleBar({ report }: { report: Report }) {
  const m = useMessages();
  const words = m.broadcasts.report;
  if (report.matched === 0) {
    return (
      <Section card title={words.counts}>
        <p>{words.notStarted}</p>
      </Section>
    );
  }
  const counts = countsOf(report);
  // Of a call that is under way nobody knows yet.
  const word = (part: Part) =>
    part === "uncertain" && report.state === "RUNNING" ? words.underWay : words.parts[part];
  return (
    <Section card title={words.counts} description={words.countsHint}>
      <div class={styles.bar} aria-hidden="true">
        {PARTS.map((part) => (
          <span
            key={part}
            class={styles[part]}
            style={{ flexGrow: counts[part] }}
            hidden={counts[part] === 0}
          />
        ))}
      </div>
      <dl class={styles.legend}>
        {PARTS.map((part) => (
          <div key={part} class={styles.entry}>
            <dt>
              <span class={`${styles.mark} ${styles[part]}`} aria-hidden="true" />
              {word(part)}
            </dt>
            <dd>
              <Count value={counts[part]} />
            </dd>
          </div>
        ))}
      </dl>
      <p class={styles.note}>
        {words.matched(peopleWord(m, report.matched))}
        {" · "}
        {words.delivered}:{" "}
        {report.delivered === null ? words.deliveredUnknown : <Count value={report.delivered} />}
      </p>
    </Section>
  );
}
