import { can } from "../../app/viewer";

/**
 * Tells whether somebody who manages webhooks has a token for some channels only: of what creators and admins may do, such
 * a token lacks what concerns the whole robot, like the key of the return address.
 */
export function isNarrowed(): boolean {
  return can("MANAGE_WEBHOOKS") && !can("MANAGE_RETURN_KEY");
}
