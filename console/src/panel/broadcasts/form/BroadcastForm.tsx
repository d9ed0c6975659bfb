import type { ComponentChildren } from "preact";
import type { Problem } from "../../../api/problem";
import { useMessages } from "../../../i18n/messages";
import { Stack } from "../../../ui/Layout";
import { Section } from "../../../ui/Section";
import type { ErrorAt } from "../parts/useFieldErrors";
import { AudienceField } from "./AudienceField";
import styles from "./BroadcastForm.module.css";
import { DraftPreview } from "./DraftPreview";
import type { Draft } from "./draft";
import { type FormChannel, KindField } from "./KindField";
import { MessageFields } from "./MessageFields";
import { PreviewPanel } from "./PreviewPanel";
import type { Previewed } from "./usePreview";
import { WhenFields, type WhenProps } from "./WhenFields";

interface BroadcastFormProps {
  channel: FormChannel;
  draft: Draft;
  change: (change: Partial<Draft>) => void;
  errorAt: ErrorAt;
  /** Why it was refused; what concerns the audience is shown there. */
  problem: Problem | null;
  previewed: Previewed;
  edited: WhenProps["edited"];
  /** More that stands beside the form. */
  aside?: ComponentChildren;
  children: ComponentChildren;
}

/** Asks for everything of a broadcast, and shows beside it who would get it, and how it looks. */
export function BroadcastForm(props: BroadcastFormProps) {
  const { channel, draft, change, errorAt, problem, previewed, edited, aside, children } = props;
  const words = useMessages().broadcasts.compose;
  const categories = channel.tagCategories.map(({ category }) => category);
  return (
    <div class={styles.columns}>
      <Stack gap={4}>
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
        {children}
      </Stack>
      <div class={styles.aside}>
        <PreviewPanel draft={draft} previewed={previewed} />
        {draft.kind && <DraftPreview draft={draft} />}
        {aside}
      </div>
    </div>
  );
}
