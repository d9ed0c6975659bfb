import { formatCount } from "../../i18n/format";
import { useMessages } from "../looking/messages";
import styles from "./Forecast.module.css";
import type { Reached } from "./forecast";
import { formatHour } from "./forecastWords";

interface FallingChartProps {
  readonly hours: readonly Reached[];
  /** How many can be reached now: as high as the picture is. */
  readonly now: number;
  readonly label: string;
}

/** Draws a bar for each hour under the number of now, with a line at half of it. */
export function FallingChart({ hours, now, label }: FallingChartProps) {
  const m = useMessages().forecast;
  const [first, last] = [hours[0], hours.at(-1)];
  const middle = hours[Math.floor(hours.length / 2)];
  return (
    <figure class={styles.figure}>
      <div class={styles.plot}>
        <div class={styles.scale} aria-hidden="true">
          <span>{formatCount(now)}</span>
          <span>{m.halfLine}</span>
          <span>0</span>
        </div>
        <svg
          class={styles.chart}
          viewBox={`0 0 ${hours.length} 100`}
          preserveAspectRatio="none"
          role="img"
          aria-label={label}
        >
          {hours.map(({ at, count }, place) => {
            const height = (100 * Math.min(count, now)) / now;
            return (
              <rect key={at} class={styles.bar} x={place + 0.1} y={100 - height} width={0.8} height={height}>
                <title>{`${formatHour(at)}: ${formatCount(count)}`}</title>
              </rect>
            );
          })}
          <line
            class={styles.half}
            x1={0}
            x2={hours.length}
            y1={50}
            y2={50}
            vector-effect="non-scaling-stroke"
          />
        </svg>
      </div>
      <div class={styles.times} aria-hidden="true">
        {[first, middle, last].map((hour) => hour && <span key={hour.at}>{formatHour(hour.at)}</span>)}
      </div>
    </figure>
  );
}
