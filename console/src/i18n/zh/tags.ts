import type { tags as en } from "../en/tags";

export const tags: typeof en = {
  heading: "标签",
  people: (count) => `${count} 人`,
};
