import { Link } from "wouter-preact";
import { SamePersonDocument } from "../api/generated/graphql";
import { useQuery } from "../api/hooks";
import { ApiProblem } from "../app/ApiProblem";
import { useMessages } from "../i18n/messages";
import { Loading } from "../ui/Loading";
import { TagChip } from "../ui/TagChip";
import styles from "./SamePerson.module.css";

interface SamePersonProps {
  channel: string;
  openid: string;
  unionidKnown: boolean;
  /** Where another channel's view of the person is. */
  hrefOf: (channel: string, openid: string) => string;
}

/** Shows the same person on the robot's other channels, with the tags there. */
export function SamePerson({ channel, openid, unionidKnown, hrefOf }: SamePersonProps) {
  const m = useMessages();
  const { data, problem, again } = useQuery(
    SamePersonDocument,
    { channel, openid },
    { pause: !unionidKnown },
  );
  if (!unionidKnown) return <p class={styles.note}>{m.card.samePersonUnknown}</p>;
  if (problem && !data) return <ApiProblem problem={problem} again={again} />;
  if (!data) return <Loading label={m.common.loading} count={1} />;
  const others = data.user?.samePerson ?? [];
  if (others.length === 0) return <p class={styles.note}>{m.card.noSamePerson}</p>;
  return (
    <ul class={styles.others}>
      {others.map((other) => (
        <li key={other.id} class={styles.other}>
          <Link href={hrefOf(other.channel.id, other.openid)}>{other.channel.name}</Link>{" "}
          <span class={styles.note}>
            {m.common.channelKinds[other.channel.kind]}
            {other.channel.kind !== "MINI_PROGRAM" &&
              ` · ${other.following ? m.card.follows : m.card.doesNotFollow}`}
          </span>
          <ul class={styles.tags} aria-label={m.card.tags}>
            {other.tags.map(({ id, tag }) => (
              <li key={id}>
                <TagChip kind={tag.kind} kindLabel={m.common.kinds[tag.kind]} name={tag.name} />
              </li>
            ))}
          </ul>
        </li>
      ))}
    </ul>
  );
}
