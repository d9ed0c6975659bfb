export const tags = {
  heading: "Tags",
  people: (count: string) => `${count} people`,
};
