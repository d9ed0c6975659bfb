import type { AuditTargetFragment } from "../../api/generated/graphql";
import { paths } from "../tags/paths";
import { fullName } from "../tags/words";
import type { Messages } from "./messages";

/** An object as a sentence speaks of it. */
export interface Spoken {
  readonly name: string;
  /** Where it is shown; null where it has no page. */
  readonly href: string | null;
}

const ID = /^[\w-]{8,}$/;
const KIND = /^([A-Z][A-Za-z]+):\d+(:\d+)*$/;

/** Returns what kind of object an id is of, to speak of one that is gone; null for a text that is no id. */
export function kindOfId(id: string): string | null {
  if (!ID.test(id)) return null;
  try {
    return KIND.exec(atob(id.replaceAll("-", "+").replaceAll("_", "/")))?.[1] ?? null;
  } catch {
    return null;
  }
}

/** Returns name and page of an object; null for one that a sentence names by what was done already, such as a job. */
export function spokenOf(target: AuditTargetFragment, m: Messages): Spoken | null {
  switch (target.__typename) {
    case "AdTag":
    case "ComboTag":
    case "DefaultTag":
    case "ReturnTag":
      return { name: fullName(target), href: paths.tag(target.channel.id, target.id) };
    case "Channel":
      return { name: target.channelName, href: paths.settings(target.id) };
    case "Broadcast":
      return {
        name: target.broadcastName ?? m.audit.unnamedBroadcast,
        href: paths.broadcast(target.channel.id, target.id),
      };
    case "WebhookEndpoint":
      return { name: target.url, href: `/webhooks/${encodeURIComponent(target.id)}` };
    default:
      return null;
  }
}

/** Returns the page where an object that has no name is found: a job, a list that was handed back; null for others. */
export function placeOf(target: AuditTargetFragment, m: Messages): Spoken | null {
  switch (target.__typename) {
    case "OfficialAccountSync":
      return { name: m.audit.openSync, href: paths.sync(target.channel.id, target.id) };
    case "AudienceExport":
    case "FollowerImport":
    case "OpenidMigration":
    case "RemoteTagImport":
    case "TagMerge":
      return { name: m.audit.openJobs, href: `/channels/${encodeURIComponent(target.channel.id)}/jobs` };
    case "ReturnReceipt":
      return { name: fullName(target.tag), href: paths.tag(target.tag.channel.id, target.tag.id) };
    default:
      return null;
  }
}
