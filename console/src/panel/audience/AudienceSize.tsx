import { ApiProblem } from "../../app/ApiProblem";
import { locale } from "../../i18n/language";
import { useMessages } from "../../i18n/messages";
import { Count } from "../../ui/Count";
import { Fact, Facts } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { Time } from "../../ui/Time";
import type { AudienceOf } from "../expressions/useAudience";
import styles from "./AudienceSize.module.css";

/** Says how many people an expression has, how many of them follow and can be written to, and as of when. */
export function AudienceSize({ audience }: { audience: AudienceOf }) {
  const m = useMessages().audience;
  const { size, input, finished, asking, problem } = audience;
  if (!input) {
    return (
      <Section card title={m.result}>
        <p>{finished ? m.notCountable : m.nothing}</p>
      </Section>
    );
  }
  const hint = asking && size ? m.stale : finished ? null : m.unfinished;
  return (
    <Section card title={m.result} description={hint}>
      <ApiProblem problem={problem} />
      {size && (
        <>
          <p class={styles.sentence}>
            <span class="visually-hidden">{m.sentence}: </span>
            {size.text}
          </p>
          <Facts>
            <Fact label={m.count}>
              <span class={styles.big}>
                <Count value={size.count} />
              </span>
            </Fact>
            <Fact label={m.followers}>
              <Part value={size.followers} of={size.count} />
            </Fact>
            <Fact label={m.touchable}>
              <Part value={size.touchable} of={size.count} />
            </Fact>
            <Fact label={m.asOf}>
              <Time at={size.asOf} absolute />
            </Fact>
          </Facts>
        </>
      )}
    </Section>
  );
}

function Part({ value, of }: { value: number; of: number }) {
  const m = useMessages().audience;
  const percent = new Intl.NumberFormat(locale(), { style: "percent" });
  return (
    <>
      <Count value={value} /> {of > 0 && <small>{m.ofAll(percent.format(value / of))}</small>}
    </>
  );
}
