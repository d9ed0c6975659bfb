import { Link } from "wouter-preact";
import { SyncFailuresDocument } from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { MoreButton } from "../../app/MoreButton";
import { usePages } from "../../app/usePages";
import { useMessages } from "../../i18n/messages";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import { paths } from "../tags/paths";
import type { SyncTagPlan } from "./review";

type FailuresSectionProps = { sync: string; tag: SyncTagPlan; channel: string };

/** Names the people who could not be given a tag at WeChat, or be freed of it, and why. */
export function FailuresSection({ sync, tag, channel }: FailuresSectionProps) {
  const m = useMessages();
  const { failureColumns } = m.sync;
  const { nodes, more, busy, problem, again } = usePages(
    SyncFailuresDocument,
    { sync },
    ({ officialAccountSync: found }) => found?.tags.find((each) => each.tag.id === tag.tag.id)?.failures,
  );
  // Who was forgotten has no id any more: the place in the list stands for the person.
  const rows = (nodes ?? []).map((node, place) => ({ ...node, place }));
  return (
    <Section title={m.sync.failures(tag.tag.name)}>
      <ApiProblem problem={problem} again={again} />
      <Table
        caption={m.sync.failures(tag.tag.name)}
        rows={rows}
        rowKey={({ user, place }) => user?.id ?? String(place)}
        columns={[
          {
            key: "person",
            header: failureColumns.person,
            primary: true,
            cell: ({ user }) =>
              user ? (
                <Link href={paths.person(channel, user.openid)}>
                  <code>{user.openid}</code>
                </Link>
              ) : (
                m.sync.forgotten
              ),
          },
          { key: "reason", header: failureColumns.reason, cell: ({ reason }) => reason },
          { key: "code", header: failureColumns.code, cell: ({ errcode }) => errcode, align: "end" },
        ]}
      />
      <MoreButton more={more} busy={busy} />
    </Section>
  );
}
