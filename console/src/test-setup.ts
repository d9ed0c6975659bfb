import { ready } from "./i18n/messages";

await ready;
