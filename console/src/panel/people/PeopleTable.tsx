import { Link } from "wouter-preact";
import { useMessages } from "../../i18n/messages";
import { Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { paths } from "../tags/paths";

interface Person {
  readonly id: string;
  readonly openid: string;
  readonly following: boolean;
  readonly touchableUntil: string | null;
}

/** Lists people of a channel, each with a link to their page. */
export function PeopleTable(props: { caption: string; channel: string; people: readonly Person[] }) {
  const m = useMessages();
  return (
    <Table
      caption={props.caption}
      rows={props.people}
      rowKey={({ id }) => id}
      columns={[
        {
          key: "openid",
          header: m.audience.openid,
          primary: true,
          cell: ({ openid }) => (
            <Link href={paths.person(props.channel, openid)}>
              <code>{openid}</code>
            </Link>
          ),
        },
        {
          key: "following",
          header: m.audience.following,
          cell: ({ following }) => (following ? m.audience.following : m.audience.notFollowing),
        },
        {
          key: "until",
          header: m.audience.touchableUntil,
          cell: ({ touchableUntil }) => (touchableUntil ? <Time at={touchableUntil} absolute /> : "–"),
        },
      ]}
    />
  );
}
