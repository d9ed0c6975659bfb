import type { Permission } from "../api/generated/graphql";
import { conversationHref } from "../conversation/addresses";
import type { Messages } from "../i18n/messages";
import {
  ChatIcon,
  ClockIcon,
  KeyIcon,
  LogIcon,
  OverlapIcon,
  PersonIcon,
  SendIcon,
  SettingsIcon,
  SyncIcon,
  TagIcon,
  WebhookIcon,
} from "../ui/icons";

export interface NavigationEntry {
  readonly label: (messages: Messages) => string;
  /** Where it leads, for the channel that is looked at (as it stands in a path). */
  readonly path: (channel: string) => string;
  /** Without this permission the entry is not shown. */
  readonly permission: Permission;
  readonly icon?: typeof TagIcon;
  /** Belongs to the whole robot, and is there without a channel. */
  readonly ofRobot?: boolean;
  /** Is a page beside the panel, for a tab of its own. */
  readonly beside?: boolean;
}

/** The parts of the panel, in the order in which they are shown. */
export const navigation: readonly NavigationEntry[] = [
  {
    label: (m) => m.shell.tags,
    path: (channel) => `/channels/${channel}/tags`,
    permission: "VIEW_TAGS",
    icon: TagIcon,
  },
  {
    label: (m) => m.shell.audience,
    path: (channel) => `/channels/${channel}/audience`,
    permission: "VIEW_USERS",
    icon: OverlapIcon,
  },
  {
    label: (m) => m.shell.people,
    path: (channel) => `/channels/${channel}/people`,
    permission: "VIEW_USERS",
    icon: PersonIcon,
  },
  {
    label: (m) => m.shell.conversation,
    path: (channel) => conversationHref(decodeURIComponent(channel)),
    permission: "VIEW_USERS",
    icon: ChatIcon,
    beside: true,
  },
  {
    label: (m) => m.shell.broadcasts,
    path: (channel) => `/channels/${channel}/broadcasts`,
    permission: "BROADCAST",
    icon: SendIcon,
  },
  {
    label: (m) => m.shell.sync,
    path: (channel) => `/channels/${channel}/sync`,
    permission: "SYNC",
    icon: SyncIcon,
  },
  {
    label: (m) => m.shell.jobs,
    path: (channel) => `/channels/${channel}/jobs`,
    permission: "EXPORT",
    icon: ClockIcon,
  },
  {
    label: (m) => m.shell.settings,
    path: (channel) => `/channels/${channel}/settings`,
    permission: "MANAGE_CHANNELS",
    icon: SettingsIcon,
  },
  {
    label: (m) => m.shell.returnData,
    path: () => "/return-data",
    permission: "VIEW_RETURN_ADDRESS",
    icon: KeyIcon,
    ofRobot: true,
  },
  {
    label: (m) => m.shell.webhooks,
    path: () => "/webhooks",
    permission: "MANAGE_WEBHOOKS",
    icon: WebhookIcon,
    ofRobot: true,
  },
  {
    label: (m) => m.shell.audit,
    path: () => "/audit",
    permission: "VIEW_AUDIT_LOG",
    icon: LogIcon,
    ofRobot: true,
  },
];
