import { signOut } from "../../api/token";
import { viewer } from "../../app/viewer";
import { formatInstant } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { PersonIcon, SignOutIcon } from "../../ui/icons";
import { Menu } from "../../ui/Menu";
import styles from "./AccountMenu.module.css";

/** Says who is signed in, in which role and for which robot, and signs out. */
export function AccountMenu() {
  const m = useMessages();
  const person = viewer.value;
  if (!person) return null;
  const role = m.common.roles[person.role];
  return (
    <Menu
      label={`${role}. ${m.shell.account(person.subject)}`}
      button={
        <>
          <PersonIcon />
          <span class={styles.role}>{role}</span>
        </>
      }
      heading={
        <div class={styles.account}>
          <strong>{person.subject}</strong>
          <span>{role}</span>
          <span>
            {m.shell.robot} {person.robotId}
          </span>
          <span>{m.session.until(formatInstant(person.tokenExpiresAt))}</span>
        </div>
      }
      items={[{ key: "out", label: m.shell.signOut, icon: <SignOutIcon />, onSelect: signOut }]}
    />
  );
}
