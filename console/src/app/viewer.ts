import { signal } from "@preact/signals";
import type { Permission, ViewerQuery } from "../api/generated/graphql";

export type Viewer = ViewerQuery["viewer"];

/** Who is signed in; null until the service has said so. */
export const viewer = signal<Viewer | null>(null);

/** Tells whether whoever is signed in may do something; whoever renders with it follows a change. */
export function can(permission: Permission): boolean {
  return viewer.value?.permissions.includes(permission) ?? false;
}
