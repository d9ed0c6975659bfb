export interface Circle {
  readonly x: number;
  readonly y: number;
  readonly r: number;
}

/** Returns the area that two circles have in common, by their radii and the distance of their centres. */
export function commonArea(r1: number, r2: number, distance: number): number {
  if (distance >= r1 + r2) return 0;
  const smaller = Math.min(r1, r2);
  if (distance <= Math.abs(r1 - r2)) return Math.PI * smaller * smaller;
  const part = (r: number, other: number) => {
    const reach = (distance * distance + r * r - other * other) / (2 * distance);
    const clamped = Math.max(-r, Math.min(r, reach));
    return r * r * Math.acos(clamped / r) - clamped * Math.sqrt(r * r - clamped * clamped);
  };
  return part(r1, r2) + part(r2, r1);
}

/** Returns how far apart two circles are to stand so that they have this area in common, as near as that is possible. */
export function distanceFor(r1: number, r2: number, area: number): number {
  let [near, far] = [Math.abs(r1 - r2), r1 + r2];
  if (area <= 0) return far;
  if (area >= commonArea(r1, r2, near)) return near;
  for (let step = 0; step < 60; step += 1) {
    const middle = (near + far) / 2;
    if (commonArea(r1, r2, middle) > area) near = middle;
    else far = middle;
  }
  return (near + far) / 2;
}

/** Returns the radius of a circle whose area is a number of people. */
export function radiusOf(people: number): number {
  return Math.sqrt(Math.max(0, people) / Math.PI);
}

/**
 * Places two or three circles whose areas are numbers of people, each pair having in common the area that `both` says of the
 * circles at those places. Of three, each pair is right; what all have in common follows from that.
 */
export function eulerCircles(
  sizes: readonly number[],
  both: (one: number, other: number) => number,
): readonly Circle[] {
  const radii = sizes.map(radiusOf);
  const distance = (one: number, other: number) =>
    distanceFor(radii[one] ?? 0, radii[other] ?? 0, both(one, other));
  const circle = (place: number, x: number, y: number): Circle => ({ x, y, r: radii[place] ?? 0 });
  const toSecond = distance(0, 1);
  const circles = [circle(0, 0, 0), circle(1, toSecond, 0)];
  if (sizes.length < 3) return circles;
  const [fromFirst, fromSecond] = [distance(0, 2), distance(1, 2)];
  const x =
    toSecond === 0
      ? fromFirst
      : (fromFirst * fromFirst - fromSecond * fromSecond + toSecond * toSecond) / (2 * toSecond);
  // Three distances need not make a triangle: then the third stands in line with the others.
  const clamped = Math.max(-fromFirst, Math.min(fromFirst, x));
  const y = Math.sqrt(Math.max(0, fromFirst * fromFirst - clamped * clamped));
  return [...circles, circle(2, clamped, y)];
}

/** Returns the smallest rectangle around circles, with some room, as a `viewBox`. */
export function boxAround(circles: readonly Circle[]): {
  x: number;
  y: number;
  width: number;
  height: number;
} {
  const left = Math.min(...circles.map(({ x, r }) => x - r));
  const right = Math.max(...circles.map(({ x, r }) => x + r));
  const top = Math.min(...circles.map(({ y, r }) => y - r));
  const bottom = Math.max(...circles.map(({ y, r }) => y + r));
  const room = Math.max(right - left, bottom - top, 1) * 0.02;
  return {
    x: left - room,
    y: top - room,
    width: right - left + 2 * room,
    height: bottom - top + 2 * room,
  };
}
