import type { ComponentChildren } from "preact";
import { can } from "../../app/viewer";
import type { Messages } from "../../i18n/messages";
import { navigation } from "../navigation";
import type { ChannelChoice } from "./ChannelSwitcher";
import { inChannel } from "./place";

/** One thing that the palette leads to. */
export interface Finding {
  readonly group: "pages" | "tags" | "people" | "channels";
  readonly label: ComponentChildren;
  readonly detail?: string;
  readonly href: string;
  /** Is a page beside the panel, for a tab of its own. */
  readonly beside?: boolean | undefined;
}

const OPENID = /^[\w-]{6,128}$/;

/** Return what a text finds without asking the service; everything for an empty text. */
export function findingsOf(
  text: string,
  channels: readonly ChannelChoice[],
  channel: ChannelChoice | null,
  path: string,
  m: Messages,
): Finding[] {
  const here = encodeURIComponent(channel?.id ?? "");
  const pages = navigation
    .filter(({ permission, ofRobot }) => can(permission) && (ofRobot || channel))
    .map((entry) => ({
      group: "pages" as const,
      label: entry.label(m),
      href: entry.path(here),
      beside: entry.beside,
    }));
  const others = channels.map(({ id, name, kind }) => ({
    group: "channels" as const,
    label: name,
    detail: m.common.channelKinds[kind],
    href: inChannel(path, id),
  }));
  const overview = { group: "pages" as const, label: m.shell.channels, href: "/" };
  const sought = text.trim().toLowerCase();
  const found: Finding[] = [...pages, overview, ...others].filter(({ label }) =>
    label.toLowerCase().includes(sought),
  );
  if (channel && can("VIEW_USERS") && OPENID.test(text.trim())) {
    found.push({
      group: "people",
      label: m.shell.palette.person(text.trim()),
      href: `/channels/${here}/people?openid=${encodeURIComponent(text.trim())}`,
    });
  }
  return found;
}
