import type { PersonCardFragment } from "../api/generated/graphql";
import { useMessages } from "../i18n/messages";
import { Countdown } from "../ui/Countdown";
import { classes } from "../ui/classes";
import { now } from "../ui/clock";
import styles from "./Reach.module.css";

/** Says whether and how long somebody can be written to, and how often customer service may answer; ticking. */
export function Reach({ user }: { user: PersonCardFragment }) {
  const m = useMessages();
  const touchable = user.touchableUntil !== null && Date.parse(user.touchableUntil) > now.value;
  const reply = user.replyUntil !== null && Date.parse(user.replyUntil) > now.value && user.repliesLeft !== 0;
  return (
    <dl class={styles.reach} aria-label={m.card.reach}>
      <div class={classes(styles.line, touchable ? styles.open : styles.closed)}>
        <dt>{touchable ? m.card.touchable : m.card.untouchable}</dt>
        <dd>
          {touchable && user.touchableUntil !== null ? (
            <>
              {m.card.touchableFor}{" "}
              <strong>
                <Countdown until={user.touchableUntil} />
              </strong>
            </>
          ) : (
            m.card.untouchableText
          )}
        </dd>
      </div>
      <div class={classes(styles.line, reply ? styles.open : styles.closed)}>
        <dt>{m.card.reply}</dt>
        <dd title={m.card.replyNote}>
          {reply && user.replyUntil !== null ? (
            <>
              {m.card.replyFor(user.repliesLeft)}{" "}
              <strong>
                <Countdown until={user.replyUntil} />
              </strong>
            </>
          ) : (
            m.card.noReply
          )}
        </dd>
      </div>
    </dl>
  );
}
