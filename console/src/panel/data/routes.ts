import { lazy } from "../../app/lazy";
import type { PageRoute } from "../routes";

export const routes: readonly PageRoute[] = [
  { path: "/return-data", component: lazy(() => import("./ReturnEndpointPage")) },
  { path: "/channels/:channel/tags/new/return", component: lazy(() => import("./NewReturnPage")) },
];
