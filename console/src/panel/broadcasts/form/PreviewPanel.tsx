import { ApiProblem } from "../../../app/ApiProblem";
import { formatCount, formatInstant } from "../../../i18n/format";
import { Button } from "../../../ui/Button";
import { RefreshIcon } from "../../../ui/icons";
import { Fact, Facts, Stack } from "../../../ui/Layout";
import { useLasting } from "../../../ui/Loading";
import { Problem } from "../../../ui/Problem";
import { Section } from "../../../ui/Section";
import { Time } from "../../../ui/Time";
import { useMessages } from "../messages";
import { ReasonList } from "../parts/ReasonList";
import { durationWord } from "../parts/words";
import type { Draft } from "./draft";
import { Funnel } from "./Funnel";
import { isSubscription } from "./kinds";
import styles from "./PreviewPanel.module.css";
import { beginsLater, type Preview, type Previewed } from "./usePreview";

/** Shows who would get what the form describes, as it is typed: from the audience down to those who would be sent to. */
export function PreviewPanel({ draft, previewed }: { draft: Draft; previewed: Previewed }) {
  const m = useMessages();
  const words = m.broadcasts.preview;
  const { preview, possible, problem, counting, again } = previewed;
  const slow = useLasting(counting);
  const needsTemplate = draft.kind !== null && isSubscription(draft.kind) && !draft.templateId.trim();
  return (
    <Section
      card
      title={words.heading}
      actions={
        preview && (
          <Button size="small" icon={<RefreshIcon size={14} />} onClick={again}>
            {words.refresh}
          </Button>
        )
      }
    >
      {!possible && <p class={styles.note}>{needsTemplate ? words.waitingTemplate : words.waiting}</p>}
      <ApiProblem problem={problem} again={again} />
      {slow && (
        <p class={styles.note} aria-hidden="true">
          {words.counting}
        </p>
      )}
      {preview && <Counted preview={preview} />}
    </Section>
  );
}

function Counted({ preview }: { preview: Preview }) {
  const m = useMessages();
  const words = m.broadcasts.preview;
  const { quotaLeft, secondsNeeded, warnings } = preview;
  return (
    <Stack gap={4}>
      <Funnel preview={preview} />
      {beginsLater(preview, Date.now()) && (
        <p class={styles.note}>{words.atStartNote(formatInstant(preview.earliestStart))}</p>
      )}
      {preview.approvalNeeded && <Problem tone="informative" title={words.approvalSelf} />}
      {warnings.length > 0 && (
        <Problem tone="caution" title={words.warnings}>
          {warnings.map((warning) => (
            <p key={warning} lang="en">
              {warning}
            </p>
          ))}
        </Problem>
      )}
      <Reasons title={words.held} groups={preview.held} />
      <Reasons title={words.unsendable} groups={preview.unsendable} />
      <Facts>
        <Fact label={words.begins}>
          <Time at={preview.earliestStart} />
        </Fact>
        <Fact label={words.duration}>
          {secondsNeeded === null ? words.never : durationWord(m, secondsNeeded)}
        </Fact>
        <Fact label={words.quota}>{quotaLeft === null ? words.quotaUnknown : formatCount(quotaLeft)}</Fact>
        <Fact label={words.asOf}>
          <Time at={preview.asOf} />
        </Fact>
      </Facts>
    </Stack>
  );
}

function Reasons({ title, groups }: { title: string; groups: Preview["held"] }) {
  const m = useMessages();
  if (groups.length === 0) return null;
  return (
    <Section level={3} title={title}>
      <ReasonList
        groups={groups}
        more={({ users, count }) => (
          <span class={styles.people}>
            {users.nodes.map(({ openid }) => openid).join(", ")}
            {count > users.nodes.length &&
              ` ${m.broadcasts.preview.andMore(formatCount(count - users.nodes.length))}`}
          </span>
        )}
      />
    </Section>
  );
}
