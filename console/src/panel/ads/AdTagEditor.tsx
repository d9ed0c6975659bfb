import { useState } from "preact/hooks";
import { Link, useLocation } from "wouter-preact";
import {
  AdFeedDocument,
  type AdTagDetailFragment,
  AdTagDocument,
  UpdateAdTagDocument,
} from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { Row, Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { PageHeader } from "../../ui/Section";
import { showToast } from "../../ui/toast";
import { useManageReason } from "../tags/hooks";
import { paths } from "../tags/paths";
import { AdFeed } from "./AdFeed";
import { type AdDraft, AdTagForm } from "./AdTagForm";

/** Edits an ad tag. */
export default function AdTagEditor({ channel, tag: id }: { channel: string; tag: string }) {
  const m = useMessages();
  const asked = useQuery(AdTagDocument, { tag: id });
  const feed = useQuery(AdFeedDocument, { channel });
  return (
    <Answer asked={asked}>
      {({ tag }) =>
        tag?.__typename === "AdTag" ? (
          <Stack gap={5}>
            <PageHeader
              title={m.ads.editHeading(tag.name)}
              above={<Link href={paths.tag(channel, tag.id)}>{`${tag.category} / ${tag.name}`}</Link>}
            />
            <Edit key={tag.id} channel={channel} tag={tag} readAgain={asked.again} />
            {feed.data?.channel && <AdFeed channel={feed.data.channel} card />}
          </Stack>
        ) : (
          <EmptyState title={m.ads.notFound}>{m.ads.notFoundHint}</EmptyState>
        )
      }
    </Answer>
  );
}

type EditProps = { channel: string; tag: AdTagDetailFragment; readAgain: () => void };

function Edit({ channel, tag, readAgain }: EditProps) {
  const m = useMessages();
  const [, navigate] = useLocation();
  const [draft, setDraft] = useState(() => draftOf(tag));
  // What was read when the edit began: what somebody else saves meanwhile is not overwritten unseen.
  const [version, setVersion] = useState(tag.version);
  const { run, busy, problem } = useMutation(UpdateAdTagDocument);
  const reason = useManageReason();
  const save = async (adIds: readonly string[], expectedVersion: number) => {
    const input = {
      id: tag.id,
      name: draft.name,
      description: draft.description || null,
      adIds,
      expectedVersion,
    };
    const { data, problem: refused } = await run({ input });
    if (refused?.code === "CONFLICT") readAgain();
    if (!data?.updateAdTag) return;
    showToast({ text: m.ads.saved(data.updateAdTag.tag.name) });
    navigate(paths.tag(channel, tag.id));
  };
  const moved = problem?.code === "CONFLICT" && tag.version !== version;
  const takeTheirs = () => {
    setDraft(draftOf(tag));
    setVersion(tag.version);
  };
  return (
    <AdTagForm
      draft={draft}
      onChange={setDraft}
      before={tag.adIds}
      action={moved ? m.tags.keepMine : m.ads.save}
      busy={busy}
      reason={reason}
      problem={problem}
      {...(problem?.code === "CONFLICT" && {
        notice: moved && <Conflict tag={tag} onTake={takeTheirs} />,
      })}
      onSubmit={(ids) => void save(ids, moved ? tag.version : version)}
    />
  );
}

function Conflict({ tag, onTake }: { tag: AdTagDetailFragment; onTake: () => void }) {
  const m = useMessages();
  return (
    <Problem title={m.tags.conflictTitle} action={<Button onClick={onTake}>{m.tags.takeTheirs}</Button>}>
      <Row gap={1}>
        {m.tags.theirs}: “{tag.name}”, {m.ads.counted(String(tag.adIds.length))}
      </Row>
    </Problem>
  );
}

function draftOf(tag: AdTagDetailFragment): AdDraft {
  return { name: tag.name, description: tag.description ?? "", ids: tag.adIds.join("\n") };
}
