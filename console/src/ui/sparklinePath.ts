export type Point = { at: string | number | Date; value: number };

/**
 * Return the line through the points in a box, as the `d` of an SVG path.
 *
 * Points are placed by their time, between the smallest and the largest value. Of no point there is no line,
 * and one point makes a level one.
 */
export function sparklinePath(points: readonly Point[], width: number, height: number): string {
  const first = points[0];
  if (!first) return "";
  const times = points.map(({ at }) => new Date(at).getTime());
  const values = points.map(({ value }) => value);
  const [start, span] = range(times);
  const [low, rise] = range(values);
  const x = (time: number) => rounded(span === 0 ? 0 : ((time - start) / span) * width);
  const y = (value: number) => rounded(rise === 0 ? height / 2 : height - ((value - low) / rise) * height);
  const line = times.map((time, index) => `${x(time)} ${y(values[index] ?? low)}`);
  if (line.length === 1 || span === 0) line.push(`${width} ${y(values.at(-1) ?? low)}`);
  return `M${line.join("L")}`;
}

function range(numbers: readonly number[]): [low: number, span: number] {
  const low = Math.min(...numbers);
  return [low, Math.max(...numbers) - low];
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
