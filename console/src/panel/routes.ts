import type { ComponentType } from "preact";

<<<<<<< HEAD

import { routes as audience } from "./audience/routes";

=======

import { routes as broadcasts } from "./broadcasts/routes";

>>>>>>> wt-broadcasts

import { routes as channels } from "./channels/routes";
import { routes as tags } from "./tags/routes";

export interface PageRoute {
  /** Path as wouter reads it, for example /channels/:channel/tags/:tag. */
  readonly path: string;
  /** The page, given what the path names; in a chunk of its own. */
  readonly component: ComponentType<{ params: Record<string, string> }>;
}

/** The pages of the panel; the first whose path fits is shown. */
export const routes: readonly PageRoute[] = [
  channels,
  tags,
  audience,
  broadcasts,
].flat();
