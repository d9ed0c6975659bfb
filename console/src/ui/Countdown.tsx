import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { locale } from "../i18n/language";
import { now } from "./clock";
import { absoluteTime, remainingTime } from "./durations";

type CountdownProps = {
  until: string;
  /** What stands there when the time is over. */
  over?: ComponentChildren;
};

/** Shows how long is left until a time, ticking; nothing is announced. */
export function Countdown({ until, over = "" }: CountdownProps) {
  const time = useSignal(until);
  time.value = until;
  const left = useComputed(() => remainingTime(Date.parse(time.value), now.value, locale()));
  const isOver = useComputed(() => left.value === null);
  return (
    <time dateTime={until} title={absoluteTime(Date.parse(until), locale())}>
      {isOver.value ? over : left}
    </time>
  );
}
