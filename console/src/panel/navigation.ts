import type { Permission } from "../api/generated/graphql";
import type { Messages } from "../i18n/messages";

export interface NavigationEntry {
  readonly label: (messages: Messages) => string;
  /** Where it leads, for the channel that is looked at. */
  readonly path: (channel: string) => string;
  /** Without this permission the entry is not shown. */
  readonly permission: Permission;
}

/** The parts of the panel, in the order in which they are shown. */
export const navigation: readonly NavigationEntry[] = [
  { label: (m) => m.shell.tags, path: (channel) => `/channels/${channel}/tags`, permission: "VIEW_TAGS" },
  {
    label: (m) => m.shell.broadcasts,
    path: (channel) => `/channels/${channel}/broadcasts`,
    permission: "BROADCAST",
  },
];
