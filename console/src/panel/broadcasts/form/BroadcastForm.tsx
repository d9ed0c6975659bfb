import type { ComponentChildren } from "preact";
import type { Problem as Refusal } from "../../../api/problem";
import { Button } from "../../../ui/Button";
import { Stack } from "../../../ui/Layout";
import { Problem } from "../../../ui/Problem";
import { Section } from "../../../ui/Section";
import { useMessages } from "../messages";
import type { ErrorAt } from "../parts/useFieldErrors";
import { AudienceField } from "./AudienceField";
import styles from "./BroadcastForm.module.css";
import { DraftPreview } from "./DraftPreview";
import { type FormChannel, KindField } from "./KindField";
import { MessageFields } from "./MessageFields";
import { PreviewPanel } from "./PreviewPanel";
import type { Editing } from "./useDraft";
import type { Previewed } from "./usePreview";
import { WhenFields, type WhenProps } from "./WhenFields";

interface BroadcastFormProps {
  channel: FormChannel;
  editing: Editing;
  errorAt: ErrorAt;
  /** Why it was refused; what concerns the audience is shown there. */
  problem: Refusal | null;
  previewed: Previewed;
  edited: WhenProps["edited"];
  /** More that stands beside the form. */
  aside?: ComponentChildren;
  children: ComponentChildren;
}

/** Asks for everything of a broadcast, and shows beside it who would get it, and how it looks. */
export function BroadcastForm(props: BroadcastFormProps) {
  const { channel, editing, errorAt, problem, previewed, edited, aside, children } = props;
  const words = useMessages().broadcasts.compose;
  const { draft, change } = editing;
  const categories = channel.tagCategories.map(({ category }) => category);
  return (
    <div class={styles.columns}>
      <Stack gap={4}>
        {editing.restored && (
          <Problem
            tone="informative"
            title={words.restored}
            action={
              <Button size="small" onClick={editing.startOver}>
                {words.startOver}
              </Button>
            }
          />
        )}
        <Section card title={words.message}>
          <KindField
            channel={channel}
            kind={draft.kind}
            errorAt={errorAt}
            onChange={(kind) => change({ kind })}
          />
          <MessageFields draft={draft} categories={categories} errorAt={errorAt} change={change} />
        </Section>
        <Section card title={words.audience} description={words.audienceHint}>
          <AudienceField
            channel={channel.id}
            audience={draft.audience}
            problem={problem}
            onChange={(audience) => change({ audience })}
          />
        </Section>
        <Section card title={words.options}>
          <WhenFields draft={draft} channel={channel} errorAt={errorAt} change={change} edited={edited} />
        </Section>
      </Stack>
      <div class={styles.aside}>
        <PreviewPanel draft={draft} previewed={previewed} />
        {draft.kind && <DraftPreview draft={draft} />}
        {aside}
      </div>
      <div class={styles.actions}>{children}</div>
    </div>
  );
}
