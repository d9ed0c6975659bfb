import { lazy } from "../../app/lazy";
import type { PageRoute } from "../routes";

export const routes: readonly PageRoute[] = [
  { path: "/webhooks", component: lazy(() => import("./WebhooksPage")) },
  { path: "/webhooks/new", component: lazy(() => import("./NewWebhookPage")) },
  { path: "/webhooks/:endpoint/edit", component: lazy(() => import("./EditWebhookPage")) },
  { path: "/webhooks/:endpoint", component: lazy(() => import("./WebhookPage")) },
];
