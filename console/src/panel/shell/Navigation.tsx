import { Link } from "wouter-preact";
import { NewTabLink } from "../../app/NewTabLink";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { ChannelIcon } from "../../ui/icons";
import { type NavigationEntry, navigation } from "../navigation";
import styles from "./Navigation.module.css";

const CHANNELS: NavigationEntry = {
  label: (m) => m.shell.channels,
  path: () => "/",
  permission: "VIEW_TAGS",
  icon: ChannelIcon,
  ofRobot: true,
};

/** Leads to the parts of the panel that the role may see: those of the channel, then those of the robot. */
export function Navigation({ path, channel }: { path: string; channel: string | null }) {
  const m = useMessages();
  const allowed = navigation.filter(({ permission }) => can(permission));
  const ofChannel = channel === null ? [] : allowed.filter(({ ofRobot }) => !ofRobot);
  const ofRobot = [CHANNELS, ...allowed.filter((entry) => entry.ofRobot)];
  const list = (entries: readonly NavigationEntry[], id: string, heading: string) => (
    <>
      <h2 id={id} class={styles.heading}>
        {heading}
      </h2>
      <ul class={styles.list} aria-labelledby={id}>
        {entries.map((entry) => (
          <Entry key={entry.path("")} entry={entry} path={path} channel={channel ?? ""} />
        ))}
      </ul>
    </>
  );
  return (
    <nav aria-label={m.shell.navigation} class={styles.navigation}>
      {ofChannel.length > 0 && list(ofChannel, "pages-of-channel", m.shell.channel)}
      {list(ofRobot, "pages-of-robot", m.shell.robot)}
    </nav>
  );
}

function Entry({ entry, path, channel }: { entry: NavigationEntry; path: string; channel: string }) {
  const m = useMessages();
  const href = entry.path(encodeURIComponent(channel));
  const current = path === href || (href !== "/" && path.startsWith(`${href}/`));
  const Icon = entry.icon;
  const words = (
    <>
      {Icon && <Icon />}
      {entry.label(m)}
    </>
  );
  if (entry.beside) {
    return (
      <li>
        <NewTabLink href={href} class={styles.entry}>
          {words}
        </NewTabLink>
      </li>
    );
  }
  return (
    <li>
      <Link href={href} class={styles.entry} aria-current={current ? "page" : undefined}>
        {words}
      </Link>
    </li>
  );
}
