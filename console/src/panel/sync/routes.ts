import { lazy } from "../../app/lazy";
import type { PageRoute } from "../routes";

export const routes: readonly PageRoute[] = [
  { path: "/channels/:channel/sync", component: lazy(() => import("./SyncPage")) },
  { path: "/channels/:channel/sync/:sync", component: lazy(() => import("./SyncRunPage")) },
];
