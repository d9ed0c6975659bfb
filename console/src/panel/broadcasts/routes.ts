import { lazy } from "../../app/lazy";
import type { PageRoute } from "../routes";

const BASE = "/channels/:channel/broadcasts";

export const routes: readonly PageRoute[] = [
  { path: BASE, component: lazy(() => import("./list/BroadcastsPage")) },
  { path: `${BASE}/new`, component: lazy(() => import("./form/NewBroadcastPage")) },
  { path: `${BASE}/policy`, component: lazy(() => import("./policy/PolicyPage")) },
  { path: `${BASE}/:broadcast`, component: lazy(() => import("./report/BroadcastPage")) },
  { path: `${BASE}/:broadcast/edit`, component: lazy(() => import("./form/EditBroadcastPage")) },
];
