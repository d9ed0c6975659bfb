import type { AudienceOfThenQuery } from "../../api/generated/graphql";
import type { Asked } from "../../api/hooks";
import { formatCount, formatInstant } from "../../i18n/format";
import { locale } from "../../i18n/language";
import { Button } from "../../ui/Button";
import { Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Problem } from "../../ui/Problem";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import type { AudienceOf } from "../expressions/useAudience";
import { useMessages } from "../looking/messages";
import { PastProblem } from "../looking/PastProblem";
import styles from "./AudienceSize.module.css";

interface SizeOfThenProps {
  readonly asOf: string;
  readonly then: Asked<AudienceOfThenQuery>;
  /** The same expression as it is now. */
  readonly now: AudienceOf["size"];
  readonly onChange: (instant: string | null) => void;
}

const PARTS = ["count", "followers", "touchable"] as const;

/** Says how many people an expression had at an earlier instant, and how that differs from now. */
export function SizeOfThen({ asOf, then: asked, now, onChange }: SizeOfThenProps) {
  const m = useMessages();
  const words = m.lookingBack;
  const { data, problem, again } = asked;
  const then = data?.audience;
  const signed = new Intl.NumberFormat(locale(), { signDisplay: "exceptZero" });
  return (
    <Section card title={m.audience.result}>
      <Stack gap={4}>
        <Problem
          tone="informative"
          title={words.asItWas(formatInstant(asOf))}
          action={
            <Button size="small" onClick={() => onChange(null)}>
              {words.backToNow}
            </Button>
          }
        >
          {words.asItWasHint}
        </Problem>
        <PastProblem problem={problem} again={again} onEarliest={onChange} />
        {!then && !problem && <Loading label={m.common.loading} shape="text" />}
        {then && (
          <>
            <p class={styles.sentence}>
              <span class="visually-hidden">{m.audience.sentence}: </span>
              {then.text}
            </p>
            <Table
              caption={words.sizes}
              rows={PARTS}
              rowKey={(part) => part}
              columns={[
                { key: "part", header: words.which, primary: true, cell: (part) => words.parts[part] },
                {
                  key: "then",
                  header: words.atThatTime,
                  align: "end",
                  cell: (part) => formatCount(then[part]),
                },
                {
                  key: "now",
                  header: words.now,
                  align: "end",
                  cell: (part) => (now ? formatCount(now[part]) : "–"),
                },
                {
                  key: "difference",
                  header: words.difference,
                  align: "end",
                  cell: (part) => (now ? signed.format(now[part] - then[part]) : "–"),
                },
              ]}
            />
          </>
        )}
      </Stack>
    </Section>
  );
}
