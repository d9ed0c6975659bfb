import { lazy } from "../../app/lazy";
import type { PageRoute } from "../routes";

export const routes: readonly PageRoute[] = [
  { path: "/audit", component: lazy(() => import("./AuditPage")) },
];
