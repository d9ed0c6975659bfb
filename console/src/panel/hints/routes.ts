import { lazy } from "../../app/lazy";
import type { PageRoute } from "../routes";

export const routes: readonly PageRoute[] = [
  { path: "/channels/:channel/tags/hints", component: lazy(() => import("./HintsPage")) },
];
