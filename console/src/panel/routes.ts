import type { ComponentType } from "preact";
import { routes as ads } from "./ads/routes";
import { routes as audience } from "./audience/routes";
import { routes as audit } from "./audit/routes";
import { routes as broadcasts } from "./broadcasts/routes";
import { routes as channels } from "./channels/routes";
import { routes as combos } from "./combos/routes";
import { routes as data } from "./data/routes";
import { routes as hints } from "./hints/routes";
import { routes as jobs } from "./jobs/routes";
import { routes as people } from "./people/routes";
import { routes as settings } from "./settings/routes";
import { routes as sync } from "./sync/routes";
import { routes as tags } from "./tags/routes";
import { routes as webhooks } from "./webhooks/routes";

export interface PageRoute {
  /** Path as wouter reads it, for example /channels/:channel/tags/:tag. */
  readonly path: string;
  /** The page, given what the path names; in a chunk of its own. */
  readonly component: ComponentType<{ params: Record<string, string> }>;
}

/** The pages of the panel; the first whose path fits is shown, so those that name more come first. */
export const routes: readonly PageRoute[] = [
  ...channels,
  ...ads,
  ...data,
  ...combos,
  ...hints,
  ...tags,
  ...audience,
  ...people,
  ...broadcasts,
  ...sync,
  ...jobs,
  ...settings,
  ...webhooks,
  ...audit,
];
