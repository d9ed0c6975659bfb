import { useMemo } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { SyncTagsDocument } from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { MoreButton } from "../../app/MoreButton";
import { usePages } from "../../app/usePages";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { EmptyState } from "../../ui/EmptyState";
import { Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Reason } from "../../ui/Reason";
import { PageHeader } from "../../ui/Section";
import { useTagFeed } from "../tags/feed";
import { PlanSection } from "./PlanSection";
import { RemoteTagsSection } from "./RemoteTagsSection";
import { SyncsSection } from "./SyncsSection";

export default function SyncPage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const channel = params.channel ?? "";
  return (
    <Stack gap={5}>
      <PageHeader title={m.sync.heading} description={m.sync.description} />
      {can("SYNC") ? <Syncing channel={channel} /> : <Reason>{m.sync.notYours}</Reason>}
    </Stack>
  );
}

function Syncing({ channel }: { channel: string }) {
  const m = useMessages();
  const { data, nodes, more, busy, problem, again } = usePages(
    SyncTagsDocument,
    { channel },
    ({ channel: found }) => found?.tags,
  );
  useTagFeed(({ kind }) => kind !== "COUNT_CHANGED" && kind !== "RESET" && again());
  const isMiniProgram = data?.channel?.kind === "MINI_PROGRAM";
  const [query, setQuery] = useSearchParams();
  const chosen = useMemo(() => query.getAll("tags"), [query]);
  const choose = (ids: readonly string[]) =>
    setQuery(
      (now) => {
        const written = new URLSearchParams(now);
        written.delete("tags");
        for (const id of ids) written.append("tags", id);
        return written;
      },
      { replace: true },
    );
  return (
    <>
      <ApiProblem problem={problem} again={again} />
      {!nodes && !problem && <Loading label={m.common.loading} />}
      {isMiniProgram && <EmptyState title={m.sync.miniProgram}>{m.sync.miniProgramHint}</EmptyState>}
      {nodes && !isMiniProgram && (
        <>
          <PlanSection channel={channel} tags={nodes} chosen={chosen} onChoose={choose} />
          <MoreButton more={more} busy={busy} />
          <SyncsSection channel={channel} />
          <RemoteTagsSection channel={channel} onTaken={again} />
        </>
      )}
    </>
  );
}
