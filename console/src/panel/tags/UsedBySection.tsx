import { TagUsedByDocument } from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { usePages } from "../../app/usePages";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { Row } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { TagChip } from "../../ui/TagChip";
import { paths } from "./paths";

/** Shows which combos are made of a tag. */
export function UsedBySection({ tag, channel }: { tag: string; channel: string }) {
  const m = useMessages();
  const { nodes, total, more, busy, problem, again } = usePages(TagUsedByDocument, { tag }, ({ node }) =>
    node && "usedByPage" in node ? node.usedByPage : null,
  );
  return (
    <Section card title={total ? `${m.tags.usedBy} (${formatCount(total)})` : m.tags.usedBy}>
      <ApiProblem problem={problem} again={again} />
      {nodes?.length === 0 && <EmptyState title={m.tags.usedByNone}>{m.tags.usedByNoneHint}</EmptyState>}
      <Row>
        {nodes?.map((combo) => (
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
      {more && (
        <Button busy={busy} onClick={more}>
          {m.common.more}
        </Button>
      )}
    </Section>
  );
}
