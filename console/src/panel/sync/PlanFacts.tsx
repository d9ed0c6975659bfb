import type { SyncRunFragment } from "../../api/generated/graphql";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Countdown } from "../../ui/Countdown";
import { Fact, Facts } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { durationOf } from "./review";

/** Shows what a plan costs: calls, time, and what is left of the day's quota. */
export function PlanFacts({ sync }: { sync: SyncRunFragment }) {
  const m = useMessages().sync;
  const [unit, count] = durationOf(sync.secondsNeeded ?? 0);
  return (
    <Section card title={m.takes}>
      <Facts>
        <Fact label={m.calls}>{sync.callsNeeded === null ? m.unknown : formatCount(sync.callsNeeded)}</Fact>
        <Fact label={m.time}>{sync.secondsNeeded === null ? m.unknown : m[unit](formatCount(count))}</Fact>
        <Fact label={m.quota}>{sync.quotaLeft === null ? m.unknown : formatCount(sync.quotaLeft)}</Fact>
        {sync.planExpiresAt && (
          <Fact label={m.goodUntil}>
            <Countdown until={sync.planExpiresAt} over={m.expired} />
          </Fact>
        )}
      </Facts>
    </Section>
  );
}
