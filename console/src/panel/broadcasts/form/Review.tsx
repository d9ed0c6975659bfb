import type { ComponentChildren } from "preact";
import { formatInstant } from "../../../i18n/format";
import { Fact, Facts, Stack } from "../../../ui/Layout";
import { Problem } from "../../../ui/Problem";
import { Section } from "../../../ui/Section";
import { type Messages, useMessages } from "../messages";
import { ReasonList } from "../parts/ReasonList";
import { peopleWord, repeatWord } from "../parts/words";
import { AudienceText } from "./AudienceText";
import { DraftPreview } from "./DraftPreview";
import type { Draft } from "./draft";
import { repeatOf, startOf } from "./inputs";
import { beginsLater, type Preview, wouldGetIt } from "./usePreview";

interface ReviewProps {
  draft: Draft;
  preview: Preview;
  children: ComponentChildren;
}

/** Names how many people get what and when, once more, before it is sent. */
export function Review({ draft, preview, children }: ReviewProps) {
  const m = useMessages();
  const words = m.broadcasts.review;
  const people = peopleWord(m, wouldGetIt(preview));
  const kind = draft.kind ? m.broadcasts.kinds[draft.kind] : "";
  const intro = beginsLater(preview, Date.now()) ? words.introLater : words.intro;
  const left = [...preview.held, ...preview.unsendable];
  return (
    <Section card title={words.heading} description={intro(people, kind)}>
      <Stack gap={4}>
        <Facts>
          <Fact label={words.who}>
            <AudienceText audience={draft.audience} />
          </Fact>
          <Fact label={words.when}>{whenWord(m, draft, preview)}</Fact>
        </Facts>
        <DraftPreview draft={draft} />
        <Section level={3} title={words.notTo}>
          {left.length > 0 ? <ReasonList groups={left} /> : <p>{words.nobodyLeftOut}</p>}
        </Section>
        {draft.startsLater && <p>{words.moreLater}</p>}
        {preview.approvalNeeded && <Problem tone="informative" title={m.broadcasts.preview.approvalSelf} />}
        <p>{words.noUndo}</p>
        {children}
      </Stack>
    </Section>
  );
}

function whenWord(m: Messages, draft: Draft, preview: Preview): string {
  const words = m.broadcasts.review;
  const starts = startOf(draft);
  const delayed = beginsLater(preview, Date.now());
  const begins = starts || delayed ? words.later(formatInstant(preview.earliestStart)) : words.atOnce;
  const repeat = repeatOf(draft);
  if (!repeat) return begins;
  const { every, at, weekday = null, dayOfMonth = null } = repeat;
  return `${begins}, ${repeatWord(m, { every, at, weekday, dayOfMonth })}`;
}

/** Returns what the button says that sends it: the verb, and how many people that concerns. */
export function sendWord(m: Messages, draft: Draft, preview: Preview): string {
  const { send, schedule, ask } = m.broadcasts.review;
  const say = preview.approvalNeeded ? ask : draft.startsLater ? schedule : send;
  return say(peopleWord(m, wouldGetIt(preview)));
}
