import { ApiProblem } from "../app/ApiProblem";
import { can, viewer } from "../app/viewer";
import { useMessages } from "../i18n/messages";
import { classes } from "../ui/classes";
import { EmptyState } from "../ui/EmptyState";
import { PersonIcon } from "../ui/icons";
import { Loading } from "../ui/Loading";
import { Reason } from "../ui/Reason";
import { Section } from "../ui/Section";
import { ConnectionLine } from "./ConnectionLine";
import { History } from "./History";
import styles from "./PersonCard.module.css";
import { PersonFacts } from "./PersonFacts";
import { Reach } from "./Reach";
import { SamePerson } from "./SamePerson";
import { TagRows } from "./TagRows";
import { type FollowedPerson, usePerson } from "./usePerson";

interface PersonCardProps {
  channel: string;
  openid: string;
  /** Puts the parts beside each other where there is room. */
  wide?: boolean;
  /** Where the same person's view on another channel is. */
  hrefOf: (channel: string, openid: string) => string;
  /** Whether tags lead to their pages: in the panel that is around the card, or in one in a tab of its own. */
  tagsLead?: "here" | "beside";
  /** Grows when there is reason to look again, such as a message. */
  asked?: number;
  /** How deep the headings of the parts are. */
  level?: 2 | 3;
}

/** Shows everything that is known of one person, as it changes. For whoever may see people; others read why not. */
export function PersonCard(props: PersonCardProps) {
  const m = useMessages();
  if (!can("VIEW_USERS")) {
    const role = viewer.value?.role;
    return (
      <EmptyState title={m.card.forbiddenTitle} icon={<PersonIcon />}>
        {role && m.card.forbiddenText(m.common.roles[role])}
      </EmptyState>
    );
  }
  // Another person: nothing that was seen before holds.
  return <Followed key={`${props.channel} ${props.openid}`} {...props} />;
}

function Followed(props: PersonCardProps) {
  const m = useMessages();
  const person = usePerson(props.channel, props.openid, props.asked);
  const { user, channel, problem, live, catchUp } = person;
  return (
    <article class={classes(styles.card, props.wide && styles.wide)} aria-label={m.card.person}>
      <div class={styles.state}>
        {user && channel?.kind !== "MINI_PROGRAM" && (
          <span class={styles.following}>{user.following ? m.card.follows : m.card.doesNotFollow}</span>
        )}
        <ConnectionLine live={live} catchUp={catchUp} />
      </div>
      {problem && <ApiProblem problem={problem} />}
      {user === undefined && !problem && <Loading label={m.common.loading} count={5} />}
      {user === null && problem?.code !== "BAD_USER_INPUT" && (
        <EmptyState title={m.card.unknownTitle} icon={<PersonIcon />}>
          <p>{m.card.unknownText(channel?.name ?? "")}</p>
          <p>
            <code>{props.openid}</code>
          </p>
        </EmptyState>
      )}
      {user && <Known {...props} person={person} user={user} />}
    </article>
  );
}

type KnownProps = PersonCardProps & { person: FollowedPerson; user: NonNullable<FollowedPerson["user"]> };

function Known({ channel, openid, hrefOf, tagsLead, person, user, level = 2 }: KnownProps) {
  const m = useMessages();
  const followable = person.channel?.kind !== "MINI_PROGRAM";
  return (
    <>
      <div class={styles.main}>
        <Reach user={user} />
        <Section title={m.card.tags} level={level}>
          <TagRows tags={user.tags} channel={channel} lead={tagsLead} />
          {user.tags.length === 0 && <NoTags bound={person.channel?.bound ?? true} />}
        </Section>
      </div>
      <div class={styles.more}>
        <Section title={m.card.samePerson} level={level}>
          <SamePerson
            channel={channel}
            openid={openid}
            unionidKnown={user.unionid !== null}
            hrefOf={hrefOf}
          />
        </Section>
        <Section title={m.card.facts} level={level}>
          <PersonFacts user={user} followable={followable} />
        </Section>
        <Section title={m.card.history} level={level}>
          <History channel={channel} openid={openid} changes={person.changes} />
        </Section>
      </div>
    </>
  );
}

function NoTags({ bound }: { bound: boolean }) {
  const m = useMessages();
  if (viewer.value?.ready === false) return <Reason>{m.card.gateClosed}</Reason>;
  if (!bound) return <Reason>{m.card.channelUnbound}</Reason>;
  return <p class={styles.following}>{m.card.noTags}</p>;
}
