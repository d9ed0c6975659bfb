import { lazy } from "../../app/lazy";
import type { PageRoute } from "../routes";

export const routes: readonly PageRoute[] = [
  { path: "/channels/:channel/tags/new/combo", component: lazy(() => import("./NewComboPage")) },
];
