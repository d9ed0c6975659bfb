import { useMemo, useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import {
  type ComboToEditFragment,
  EditedComboDocument,
  type TagExpressionInput,
  UpdateComboDocument,
} from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { EmptyState } from "../../ui/EmptyState";
import { Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { PageHeader } from "../../ui/Section";
import { showToast } from "../../ui/toast";
import { AudienceSize } from "../audience/AudienceSize";
import { OverlapSection } from "../audience/OverlapView";
import { fromSaved } from "../expressions/conversion";
import { canonical } from "../expressions/countable";
import { useAudience } from "../expressions/useAudience";
import { useExpressionQuery } from "../expressions/useExpressionQuery";
import { paths } from "../tags/paths";
import { ComboForm } from "./ComboForm";
import { Conflict } from "./Conflict";
import { changesOf, draftOf } from "./draft";
import { EditPreview } from "./EditPreview";
import { PendingNote } from "./PendingNote";
import { useEditPreview } from "./useEditPreview";

/** Edits a combo, LAPSED ones too, with what the edit would do. */
export default function ComboEditor({ channel, tag: id }: { channel: string; tag: string }) {
  const m = useMessages();
  const asked = useQuery(EditedComboDocument, { tag: id });
  return (
    <Answer asked={asked}>
      {({ tag }) =>
        tag?.__typename === "ComboTag" ? (
          <Stack gap={5}>
            <PageHeader
              title={m.combos.editHeading(tag.name)}
              above={<Link href={paths.tag(channel, tag.id)}>{`${tag.category} / ${tag.name}`}</Link>}
            />
            {tag.state === "LAPSED" && (
              <Problem tone="caution" title={m.combos.lapsedTitle}>
                {tag.lapsedBecause} {m.combos.lapsedHint}
              </Problem>
            )}
            <Edit channel={channel} tag={tag} readAgain={asked.again} />
          </Stack>
        ) : (
          <EmptyState title={m.combos.notCombo} />
        )
      }
    </Answer>
  );
}

type EditProps = { channel: string; tag: ComboToEditFragment; readAgain: () => void };

function Edit({ channel, tag, readAgain }: EditProps) {
  const m = useMessages().combos;
  const [, navigate] = useLocation();
  const [draft, setDraft] = useState(() => draftOf(tag));
  // What was read when the edit began: what somebody else saves meanwhile is not overwritten unseen.
  const [base, setBase] = useState(tag);
  const saved = useMemo(() => fromSaved(base.expression.flat), [base]);
  const [tree, setTree] = useExpressionQuery(saved);
  const audience = useAudience(channel, tree);
  const isNew = canonical(tree) !== canonical(saved);
  const preview = useEditPreview(tag.id, isNew && audience.finished ? audience.input : null);
  const { run, busy, problem } = useMutation(UpdateComboDocument);
  const [unchanged, setUnchanged] = useState(false);
  const forbidden = useMemo(() => {
    const follows = preview.data?.comboTagEditPreview?.follows ?? [];
    const reasons = new Map([...tag.usedBy, ...follows].map((combo) => [combo.id, m.madeOfIt]));
    return reasons.set(tag.id, m.itself);
  }, [tag.id, tag.usedBy, preview.data, m]);

  const isMoved = problem?.code === "CONFLICT" && tag.version !== base.version;
  const save = async (expression: TagExpressionInput) => {
    const changes = changesOf(base, draft, isNew ? expression : null);
    setUnchanged(changes === null);
    if (!changes) return;
    const expectedVersion = isMoved ? tag.version : base.version;
    const { data, problem: refused } = await run({ input: { id: tag.id, ...changes, expectedVersion } });
    if (refused?.code === "CONFLICT") readAgain();
    if (!data?.updateComboTag) return;
    showToast({ text: m.saved(data.updateComboTag.tag.name) });
    navigate(paths.tag(channel, tag.id));
  };
  const takeTheirs = () => {
    setBase(tag);
    setDraft(draftOf(tag));
    setTree(fromSaved(tag.expression.flat));
  };
  return (
    <ComboForm
      channel={channel}
      draft={draft}
      onDraft={setDraft}
      tree={tree}
      onTree={setTree}
      known={audience.known}
      forbidden={forbidden}
      problem={problem ?? preview.problem}
      action={isMoved ? m.keepMine : m.save}
      busy={busy}
      reason={can("MANAGE_TAGS") ? null : m.notYours}
      preview={
        <>
          <PendingNote tree={tree} known={audience.known} />
          {can("MANAGE_TAGS") && isNew ? (
            <EditPreview channel={channel} tag={tag} tree={tree} audience={audience} preview={preview} />
          ) : (
            <AudienceSize audience={audience} />
          )}
          <OverlapSection channel={channel} tree={tree} known={audience.known} />
          {isMoved && <Conflict theirs={tag} onTake={takeTheirs} />}
          {unchanged && <p role="status">{m.unchanged}</p>}
        </>
      }
      onSubmit={save}
    />
  );
}
