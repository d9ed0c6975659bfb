import { OverlapOfThreeDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { formatCount, formatList } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { boxAround, type Circle, eulerCircles } from "./circles";
import styles from "./Overlap.module.css";
import { bothOf, type Pair, type SizedTag } from "./overlap";

const LETTERS = ["A", "B", "C"] as const;

interface EulerPictureProps {
  readonly channel: string;
  readonly tags: readonly SizedTag[];
  readonly pairs: readonly Pair[];
}

/** Draws two or three tags as circles whose areas, and whose common areas, are numbers of people. */
export function EulerPicture({ channel, tags, pairs }: EulerPictureProps) {
  const m = useMessages().audience;
  const all = tags.map(({ tag }) => ({ tag: tag.id }));
  const isThree = tags.length === 3;
  const { data } = useQuery(OverlapOfThreeDocument, { channel, expression: { all } }, { pause: !isThree });
  const circles = eulerCircles(
    tags.map(({ size }) => size),
    (one, other) => bothOf(pairs, tags[one]?.tag.id ?? "", tags[other]?.tag.id ?? ""),
  );
  const box = boxAround(circles);
  const letter = Math.max(box.width, box.height) * 0.06;
  const names = formatList(tags.map(({ tag }) => tag.name));
  return (
    <figure class={styles.figure}>
      <svg
        class={styles.euler}
        viewBox={`${box.x} ${box.y} ${box.width} ${box.height}`}
        role="img"
        aria-label={m.overlapPicture(names)}
      >
        {circles.map((circle, place) => (
          <circle
            key={tags[place]?.tag.id}
            class={styles[`set${LETTERS[place] ?? "A"}`]}
            cx={circle.x}
            cy={circle.y}
            r={circle.r}
            vector-effect="non-scaling-stroke"
          />
        ))}
        {circles.map((circle, place) => {
          const { x, y } = letterPlace(circle, circles);
          return (
            <text
              key={tags[place]?.tag.id}
              class={styles.letter}
              x={x}
              y={y}
              font-size={letter}
              text-anchor="middle"
              dominant-baseline="central"
            >
              {LETTERS[place]}
            </text>
          );
        })}
      </svg>
      <figcaption class={styles.legend}>
        <ul class={styles.sets}>
          {tags.map(({ tag, size }, place) => (
            <li key={tag.id}>
              <span class={`${styles.swatch} ${styles[`swatch${LETTERS[place] ?? "A"}`]}`}>
                {LETTERS[place]}
              </span>
              {tag.name} <strong>{formatCount(size)}</strong>
            </li>
          ))}
          {data?.audience && (
            <li>
              {m.allThree} <strong>{formatCount(data.audience.count)}</strong>
            </li>
          )}
        </ul>
        {isThree && <p class={styles.note}>{m.overlapApproximate}</p>}
      </figcaption>
    </figure>
  );
}

/** Returns where the letter of a circle stands: in it, away from the others. */
function letterPlace(circle: Circle, circles: readonly Circle[]): { x: number; y: number } {
  const x = circles.reduce((sum, each) => sum + each.x, 0) / circles.length;
  const y = circles.reduce((sum, each) => sum + each.y, 0) / circles.length;
  const [dx, dy] = [circle.x - x, circle.y - y];
  const length = Math.hypot(dx, dy) || 1;
  return { x: circle.x + (dx / length) * circle.r * 0.75, y: circle.y + (dy / length) * circle.r * 0.75 };
}
