import { useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import { CreateComboDocument, type TagExpressionInput } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { Stack } from "../../ui/Layout";
import { PageHeader } from "../../ui/Section";
import { showToast } from "../../ui/toast";
import { AudienceSize } from "../audience/AudienceSize";
import { OverlapSection } from "../audience/OverlapView";
import { useAudience } from "../expressions/useAudience";
import { useExpressionQuery } from "../expressions/useExpressionQuery";
import { paths } from "../tags/paths";
import { ComboForm } from "./ComboForm";
import type { ComboDraft } from "./draft";
import { PendingNote } from "./PendingNote";

/** Makes a combo, and then shows its page, where it comes into effect. */
export default function NewComboPage({ params }: { params: Record<string, string> }) {
  const m = useMessages().combos;
  const all = useMessages();
  const channel = params.channel ?? "";
  const [, navigate] = useLocation();
  const [draft, setDraft] = useState<ComboDraft>({
    category: all.common.kinds.COMBO,
    name: "",
    description: "",
  });
  const [tree, setTree] = useExpressionQuery();
  const audience = useAudience(channel, tree);
  const { run, busy, problem } = useMutation(CreateComboDocument);
  const create = async (expression: TagExpressionInput) => {
    const { name, category, description } = draft;
    const input = { channelId: channel, name, category, description: description || null, expression };
    const { data } = await run({ input });
    if (!data?.createComboTag) return;
    showToast({ text: m.created(data.createComboTag.tag.name) });
    navigate(paths.tag(channel, data.createComboTag.tag.id));
  };
  return (
    <Stack gap={5}>
      <PageHeader
        title={m.newHeading}
        above={<Link href={paths.tags(channel)}>{all.tags.back}</Link>}
        description={m.newDescription}
      />
      <ComboForm
        channel={channel}
        draft={draft}
        onDraft={setDraft}
        tree={tree}
        onTree={setTree}
        known={audience.known}
        problem={problem}
        action={m.create}
        busy={busy}
        reason={can("MANAGE_TAGS") ? null : m.notYours}
        preview={
          <>
            <PendingNote tree={tree} known={audience.known} />
            <AudienceSize audience={audience} />
            <OverlapSection channel={channel} tree={tree} known={audience.known} />
          </>
        }
        onSubmit={create}
      />
    </Stack>
  );
}
