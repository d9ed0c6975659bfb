import { lazy } from "../../app/lazy";
import type { PageRoute } from "../routes";

export const routes: readonly PageRoute[] = [
  { path: "/channels/:channel/tags", component: lazy(() => import("./TagsPage")) },
  { path: "/channels/:channel/tags/:tag/edit", component: lazy(() => import("./EditPage")) },
  { path: "/channels/:channel/tags/:tag", component: lazy(() => import("./TagPage")) },
];
