import { Link } from "wouter-preact";
import { ChannelsDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { useMessages } from "../../i18n/messages";

export default function ChannelsPage() {
  const m = useMessages();
  const { data } = useQuery(ChannelsDocument, {});
  return (
    <>
      <h1>{m.shell.channels}</h1>
      <ul>
        {data?.channels.map((channel) => (
          <li key={channel.id}>
            <Link href={`/channels/${channel.id}/tags`}>{channel.name}</Link>
          </li>
        ))}
      </ul>
    </>
  );
}
