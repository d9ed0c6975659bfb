import { formatCount, formatList } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import styles from "./Overlap.module.css";
import { largestPairs, type Pair, type SizedTag } from "./overlap";

const COLUMN = 28;
const ROW = 26;
const BARS = 110;
const NAMES = 170;
const SIZES = 90;

/**
 * Draws many tags as rows with bars of their size, and their largest pairs as columns: dots say which two, the bar above how
 * many people have both.
 */
export function PairsPicture({ tags, pairs }: { tags: readonly SizedTag[]; pairs: readonly Pair[] }) {
  const m = useMessages().audience;
  const drawn = largestPairs(pairs);
  const left = NAMES + SIZES + 12;
  const width = left + Math.max(1, drawn.length) * COLUMN + 8;
  const height = BARS + tags.length * ROW + 8;
  const largestBoth = Math.max(1, ...drawn.map(({ both }) => both));
  const largestSize = Math.max(1, ...tags.map(({ size }) => size));
  const rowOf = (id: string) => BARS + (tags.findIndex(({ tag }) => tag.id === id) + 0.5) * ROW + 4;
  return (
    <figure class={styles.figure}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys */}
      <section class={styles.scroll} tabIndex={0} aria-label={m.overlap}>
        <svg
          class={styles.pairs}
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
          role="img"
          aria-label={m.overlapPicture(formatList(tags.map(({ tag }) => tag.name)))}
        >
          {tags.map(({ tag, size }, place) => (
            <g key={tag.id}>
              {place % 2 === 0 && (
                <rect class={styles.stripe} x={0} y={rowOf(tag.id) - ROW / 2} width={width} height={ROW} />
              )}
              <text class={styles.name} x={4} y={rowOf(tag.id)} dominant-baseline="central">
                {shortened(tag.name)}
              </text>
              <rect
                class={styles.size}
                x={NAMES + SIZES - (size / largestSize) * SIZES}
                y={rowOf(tag.id) - 7}
                width={(size / largestSize) * SIZES}
                height={14}
              />
            </g>
          ))}
          {drawn.map((pair, place) => (
            <Column
              key={`${pair.a.id} ${pair.b.id}`}
              {...{ pair, rowOf, largestBoth }}
              x={left + (place + 0.5) * COLUMN}
            />
          ))}
        </svg>
      </section>
      {drawn.length < pairs.length && (
        <figcaption class={styles.note}>
          {m.morePairs(formatCount(drawn.length), formatCount(pairs.length))}
        </figcaption>
      )}
    </figure>
  );
}

interface ColumnProps {
  readonly pair: Pair;
  readonly x: number;
  readonly rowOf: (id: string) => number;
  readonly largestBoth: number;
}

function Column({ pair: { a, b, both }, x, rowOf, largestBoth }: ColumnProps) {
  const bar = (both / largestBoth) * (BARS - 24);
  return (
    <g>
      <rect class={styles.both} x={x - 8} y={BARS - bar} width={16} height={bar} />
      <text class={styles.figureText} x={x} y={BARS - bar - 6} text-anchor="middle">
        {compact(both)}
      </text>
      <line class={styles.link} x1={x} x2={x} y1={rowOf(a.id)} y2={rowOf(b.id)} />
      <circle class={styles.dot} cx={x} cy={rowOf(a.id)} r={5} />
      <circle class={styles.dot} cx={x} cy={rowOf(b.id)} r={5} />
    </g>
  );
}

function compact(count: number): string {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(count);
}

/** Cuts a name to what there is room for: a wide character takes that of two. */
function shortened(name: string): string {
  let room = 22;
  let text = "";
  for (const character of name) {
    room -= character.charCodeAt(0) > 0x2e80 ? 2 : 1;
    if (room < 0) return `${text}…`;
    text += character;
  }
  return text;
}
