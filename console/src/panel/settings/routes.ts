import { lazy } from "../../app/lazy";
import type { PageRoute } from "../routes";

export const routes: readonly PageRoute[] = [
  { path: "/channels/:channel/settings", component: lazy(() => import("./SettingsPage")) },
];
