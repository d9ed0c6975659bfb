import { Link } from "wouter-preact";
import { can } from "../../app/viewer";
import { Time } from "../../ui/Time";
import { paths } from "./paths";

interface Broadcast {
  readonly id: string;
  readonly name: string | null;
  readonly startAt: string;
}

/** Lists broadcasts to come with their start, each led to where the viewer may see it. */
export function BroadcastLinks({
  broadcasts,
  channel,
}: {
  broadcasts: readonly Broadcast[];
  channel: string;
}) {
  return (
    <ul>
      {broadcasts.map(({ id, name, startAt }) => (
        <li key={id}>
          {can("BROADCAST") ? <Link href={paths.broadcast(channel, id)}>{name ?? id}</Link> : (name ?? id)},{" "}
          <Time at={startAt} />
        </li>
      ))}
    </ul>
  );
}
