import { Link } from "wouter-preact";
import type { MergePreviewQuery, UsingComboFragment } from "../../api/generated/graphql";
import { formatCount } from "../../i18n/format";
import { Row } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { TagChip } from "../../ui/TagChip";
import { BroadcastLinks } from "../tags/BroadcastLinks";
import { paths } from "../tags/paths";
import { useMessages } from "./messages";

type Preview = NonNullable<MergePreviewQuery["mergeTagPreview"]>;

/** Says what merging does: who gains, which combos and broadcasts follow, and what cannot be taken back. */
export function MergeConsequences({ found, channel }: { found: Preview; channel: string }) {
  const m = useMessages();
  const { from, into, gains, alreadyThere, combos, meaningChanges, broadcasts } = found;
  const link = from.officialAccount;
  return (
    <>
      <p>
        {gains === 0 ? m.merging.gainsNobody(into.name) : m.merging.gains(formatCount(gains), into.name)}{" "}
        {alreadyThere > 0 && m.merging.alreadyThere(formatCount(alreadyThere))}
      </p>
      {combos.length === 0 ? (
        <p>{m.merging.combosNone}</p>
      ) : (
        <div>
          <p>{m.merging.combos(formatCount(combos.length), into.name)}</p>
          <Combos combos={combos} channel={channel} />
        </div>
      )}
      {meaningChanges.length > 0 && (
        <Problem tone="caution" title={m.merging.meaning(formatCount(meaningChanges.length))}>
          <p>{m.merging.meaningHint}</p>
          <Combos combos={meaningChanges} channel={channel} />
        </Problem>
      )}
      {broadcasts.length === 0 ? (
        <p>{m.merging.broadcastsNone}</p>
      ) : (
        <div>
          <p>{m.merging.broadcasts(formatCount(broadcasts.length), into.name)}</p>
          <BroadcastLinks broadcasts={broadcasts} channel={channel} />
        </div>
      )}
      {link && link.remoteTagId !== null && <p>{m.merging.remote(link.remoteName)}</p>}
      <p>
        <Link href={`${paths.tag(channel, into.id)}?merge=${encodeURIComponent(from.id)}`}>
          {m.merging.otherWay(into.name)}
        </Link>
      </p>
      <p>
        <strong>{m.merging.final(from.name)}</strong>
      </p>
    </>
  );
}

function Combos({ combos, channel }: { combos: readonly UsingComboFragment[]; channel: string }) {
  const m = useMessages();
  return (
    <Row>
      {combos.map((combo) => (
        <TagChip
          key={combo.id}
          kind={combo.kind}
          kindLabel={m.common.kinds[combo.kind]}
          state={combo.state}
          name={combo.name}
          href={paths.tag(channel, combo.id)}
        />
      ))}
    </Row>
  );
}
