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
  { label: (m) => m.shell.sync, path: (channel) => `/channels/${channel}/sync`, permission: "SYNC" },
  { label: (m) => m.shell.jobs, path: (channel) => `/channels/${channel}/jobs`, permission: "EXPORT" },
];
