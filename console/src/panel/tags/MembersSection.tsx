import { TagMembersDocument } from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { MoreButton } from "../../app/MoreButton";
import { usePages } from "../../app/usePages";
import { can } from "../../app/viewer";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { Row } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Reason } from "../../ui/Reason";
import { Section } from "../../ui/Section";
import { PeopleTable } from "../people/PeopleTable";

type MembersSectionProps = { tag: string; channel: string; memberCount: number };

/** Shows who has a tag, to those who may see people. */
export function MembersSection(props: MembersSectionProps) {
  const m = useMessages();
  if (!can("VIEW_USERS")) {
    return (
      <Section card title={m.tags.members}>
        <Reason>{m.tags.membersNotYours}</Reason>
      </Section>
    );
  }
  return <Members {...props} />;
}

function Members({ tag, channel, memberCount }: MembersSectionProps) {
  const m = useMessages();
  const { nodes, total, more, busy, problem, again } = usePages(TagMembersDocument, { tag }, ({ node }) =>
    node && "users" in node ? node.users : null,
  );
  const moved = total !== undefined && memberCount !== total;
  return (
    <Section
      card
      title={m.tags.members}
      description={total ? m.tags.people(formatCount(total)) : undefined}
      actions={
        moved && (
          <Row>
            {m.tags.membersMoved}
            <Button size="small" onClick={again}>
              {m.tags.reload}
            </Button>
          </Row>
        )
      }
    >
      <ApiProblem problem={problem} again={again} />
      {!nodes && !problem && <Loading label={m.common.loading} />}
      {nodes?.length === 0 && <EmptyState title={m.tags.membersNone}>{m.tags.membersNoneHint}</EmptyState>}
      {nodes && nodes.length > 0 && <PeopleTable caption={m.tags.members} channel={channel} people={nodes} />}
      <MoreButton more={more} busy={busy} />
    </Section>
  );
}
