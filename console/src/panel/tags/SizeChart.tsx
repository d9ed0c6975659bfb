import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatCount, formatInstant } from "../../i18n/format";
import { language, locale } from "../../i18n/language";
import { useMessages } from "../../i18n/messages";
import type { Size } from "./ranges";
import styles from "./SizeChart.module.css";
import { useThemeChanges } from "./useThemeChanges";

const HEIGHT = 240;
/** What was counted for the first time a moment ago is not drawn as if that moment were long. */
const SHORTEST = 600;

/** Draws sizes as steps, since each holds until the next; what is pointed at is said below. */
export default function SizeChart({ sizes, label }: { sizes: readonly Size[]; label: string }) {
  const m = useMessages();
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const newest = useRef(sizes);
  newest.current = sizes;
  const [pointed, setPointed] = useState<number | null>(null);
  const theme = useThemeChanges();
  const chosen = language.value;

  // biome-ignore lint/correctness/useExhaustiveDependencies: another theme or language is drawn anew
  useEffect(() => {
    const place = frame.current;
    if (!place) return;
    const plot = new uPlot(optionsFor(place, setPointed), dataOf(newest.current), place);
    chart.current = plot;
    const resized = new ResizeObserver(() => plot.setSize({ width: place.clientWidth, height: HEIGHT }));
    resized.observe(place);
    return () => {
      resized.disconnect();
      plot.destroy();
      chart.current = null;
    };
  }, [theme, chosen]);

  useEffect(() => chart.current?.setData(dataOf(sizes)), [sizes]);

  const point = pointed === null ? undefined : sizes[pointed];
  return (
    <figure class={styles.figure}>
      <div ref={frame} class={styles.chart} role="img" aria-label={label} />
      <figcaption class={styles.caption}>
        {point ? `${formatInstant(point.at)}: ${m.tags.people(formatCount(point.memberCount))}` : label}
      </figcaption>
    </figure>
  );
}

function dataOf(sizes: readonly Size[]): uPlot.AlignedData {
  return [sizes.map(({ at }) => Date.parse(at) / 1000), sizes.map(({ memberCount }) => memberCount)];
}

/** Takes the colours from the page, as canvases know nothing of its style sheets. */
function optionsFor(place: HTMLElement, point: (index: number | null) => void): uPlot.Options {
  const {
    color: text,
    borderTopColor: grid,
    outlineColor: line,
    backgroundColor: area,
  } = getComputedStyle(place);
  const { fontFamily } = getComputedStyle(document.body);
  const axis = {
    stroke: text,
    font: `12px ${fontFamily}`,
    grid: { stroke: grid, width: 1 },
    ticks: { stroke: grid },
  };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: {
      x: { range: (_, from, to) => [Math.min(from, to - SHORTEST), to] },
      y: {
        range: (_, low, high) =>
          low === high ? [Math.max(0, low - 1), high + 1] : uPlot.rangeNum(low, high, 0.1, true),
      },
    },
    axes: [
      { ...axis, values: (_, splits, __, ___, step) => splits.map((at) => timeLabel(at, step)) },
      {
        ...axis,
        size: 64,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6],
        values: (_, splits) => splits.map((count) => formatCount(count)),
      },
    ],
    series: [
      {},
      {
        stroke: line,
        width: 2,
        fill: area,
        paths: uPlot.paths.stepped?.({ align: 1 }) as uPlot.Series.PathBuilder,
        points: { show: false },
      },
    ],
    hooks: { setCursor: [(plot) => point(plot.cursor.idx ?? null)] },
  };
}

function timeLabel(at: number, step: number): string {
  const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  const form: Intl.DateTimeFormatOptions =
    step >= 86_400 ? { month: "short", day: "numeric" } : step < 60 ? { ...clock, second: "2-digit" } : clock;
  return new Intl.DateTimeFormat(locale(), form).format(at * 1000);
}
