import { useComputed, useSignal } from "@preact/signals";
import { locale } from "../i18n/language";
import { now } from "./clock";
import { absoluteTime, relativeTime } from "./durations";

/** Shows how long ago or ahead a time is, and the time itself when pointed at. */
export function Time({ at, absolute = false }: { at: string; absolute?: boolean }) {
  const time = useSignal(at);
  time.value = at;
  const text = useComputed(() => {
    const instant = Date.parse(time.value);
    const place = locale();
    return absolute ? absoluteTime(instant, place) : relativeTime(instant, now.value, place);
  });
  return (
    <time dateTime={at} title={absoluteTime(Date.parse(at), locale())}>
      {text}
    </time>
  );
}
