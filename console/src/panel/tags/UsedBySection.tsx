import { TagUsedByDocument } from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { MoreButton } from "../../app/MoreButton";
import { usePages } from "../../app/usePages";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Row } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { TagChip } from "../../ui/TagChip";
import { paths } from "./paths";

/** Shows which combos are made of a tag. */
export function UsedBySection({
  tag,
  channel,
  isDefault,
}: {
  tag: string;
  channel: string;
  isDefault: boolean;
}) {
  const m = useMessages();
  const { nodes, total, more, busy, problem, again } = usePages(TagUsedByDocument, { tag }, ({ node }) =>
    node && "usedByPage" in node ? node.usedByPage : null,
  );
  return (
    <Section card title={total ? `${m.tags.usedBy} (${formatCount(total)})` : m.tags.usedBy}>
      <ApiProblem problem={problem} again={again} />
      {nodes?.length === 0 && (
        <p>{isDefault ? m.tags.usedByNone : `${m.tags.usedByNone} ${m.tags.usedByNoneHint}`}</p>
      )}
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
      <MoreButton more={more} busy={busy} />
    </Section>
  );
}
