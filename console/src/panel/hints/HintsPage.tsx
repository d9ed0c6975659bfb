import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { TagHintsDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { can } from "../../app/viewer";
import { formatCount } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { CheckIcon, RefreshIcon } from "../../ui/icons";
import { Stack } from "../../ui/Layout";
import { Loading, useLasting } from "../../ui/Loading";
import { Reason } from "../../ui/Reason";
import { PageHeader } from "../../ui/Section";
import { useMessages } from "../looking/messages";
import { DeleteDialog } from "../tags/DeleteDialog";
import { paths } from "../tags/paths";
import { HintItem } from "./HintItem";
import styles from "./Hints.module.css";
import type { TagHint } from "./hintWords";

/** So many are told at most. */
const MOST = 200;

/** Lists what is worth a look about the tags of a channel; asked for whenever the page is opened, as it takes a while. */
export default function HintsPage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const channel = params.channel ?? "";
  const allowed = can("VIEW_USERS");
  const asked = useQuery(TagHintsDocument, { channel }, { pause: !allowed, policy: "cache-and-network" });
  const { data, problem, fetching, again } = asked;
  return (
    <Stack gap={4}>
      <PageHeader
        title={m.hints.heading}
        above={<Link href={paths.tags(channel)}>{m.tags.back}</Link>}
        description={m.hints.description}
        actions={
          allowed && (
            <Button icon={<RefreshIcon size={14} />} busy={fetching} onClick={again}>
              {m.hints.refresh}
            </Button>
          )
        }
      />
      {!allowed && <Reason>{m.hints.notYours}</Reason>}
      <ApiProblem problem={problem} again={again} />
      {fetching && !data && <Looking />}
      {data?.tagHints && <Hints channel={channel} hints={data.tagHints.filter(isOfLiving)} />}
    </Stack>
  );
}

function Looking() {
  const m = useMessages();
  const isLong = useLasting(true);
  return (
    <>
      {isLong && <p>{m.hints.looking}</p>}
      <Loading label={m.common.loading} count={5} />
    </>
  );
}

interface HintsProps {
  readonly channel: string;
  readonly hints: readonly TagHint[];
}

/** Tells whether none of the tags was deleted since it was looked. */
function isOfLiving({ tag, other }: TagHint): boolean {
  return tag.deletedAt === null && (other?.deletedAt ?? null) === null;
}

function Hints({ channel, hints }: HintsProps) {
  const m = useMessages();
  const [deleting, setDeleting] = useState<TagHint["tag"] | null>(null);
  return (
    <>
      <p role="status">
        {hints.length > 0 && m.hints.found(formatCount(hints.length))} {hints.length >= MOST && m.hints.most}
      </p>
      {!can("MANAGE_TAGS") && hints.length > 0 && <Reason>{m.hints.notManager}</Reason>}
      {hints.length === 0 ? (
        <EmptyState title={m.hints.none} icon={<CheckIcon size={24} />}>
          {m.hints.noneHint}
        </EmptyState>
      ) : (
        <ul class={styles.hints} aria-label={m.hints.list}>
          {hints.map((hint) => (
            <HintItem
              key={`${hint.kind} ${hint.tag.id} ${hint.other?.id ?? ""}`}
              hint={hint}
              channel={channel}
              onDelete={() => setDeleting(hint.tag)}
            />
          ))}
        </ul>
      )}
      {deleting && <DeleteDialog tag={deleting} channel={channel} onClose={() => setDeleting(null)} />}
    </>
  );
}
